// scripts/bench: what a request costs here and at the peer, measured in one run.

import { writeFileSync } from "node:fs";
import { readOptions, run } from "./cli.mjs";
import { CASES } from "./bench/cases.mjs";
import { startOurs, startPeer } from "./bench/subjects.mjs";
import { Trouble } from "./worker.mjs";

const USAGE = `scripts/bench [--case NAME]... [--json FILE]

Prints what each kind of request costs: CPU-ms of the workerd process (its simulators of the databases included),
requests per second, latency, first request, memory, size. Compare within one run only.

  --case NAME    only this case, or several: ${Object.keys(CASES).join(", ")}
  --json FILE    writes the figures there too`;

/** Requests before measuring, and measured in each of the rounds; the subjects take turns. */
const WARM_UP = 150;
const PER_ROUND = 150;
const ROUNDS = 4;

async function main() {
  const { values } = readOptions(USAGE, {
    case: { type: "string", multiple: true },
    json: { type: "string" },
    peer: { type: "string" },
  });
  const wanted = values.case ?? Object.keys(CASES);
  for (const name of wanted) if (!CASES[name]) throw new Trouble(`there is no case ${name}`, USAGE);

  const subjects = [];
  try {
    subjects.push(await startOurs());
    if (values.peer) subjects.push(await startPeer(values.peer));
    const figures = await measure(subjects, wanted);
    console.log(table(figures));
    if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await Promise.all(subjects.map((subject) => subject.stop()));
  }
}

async function measure(subjects, names) {
  const cases = {};
  for (const name of names) {
    const tallies = await Promise.all(subjects.map((subject) => subject.prepare(name)));
    for (const tally of tallies) await tally.run(WARM_UP, { counted: false });
    for (let round = 0; round < ROUNDS; round += 1) for (const tally of tallies) await tally.run(PER_ROUND);
    cases[name] = Object.fromEntries(subjects.map((subject, index) => [subject.name, tallies[index].figures()]));
  }
  return { cases, subjects: Object.fromEntries(subjects.map((subject) => [subject.name, subject.figures()])) };
}

function table({ cases, subjects }) {
  const rows = [["case", "worker", "CPU-ms", "requests/s", "p50 ms", "p99 ms", "peer / ours"]];
  for (const [name, by] of Object.entries(cases)) {
    for (const [subject, { cpuMs, perSecond, p50, p99 }] of Object.entries(by)) {
      const ratio = subject === "postern" && by.peer ? (by.peer.cpuMs / cpuMs).toFixed(1) : "";
      rows.push([name, subject, cpuMs.toFixed(2), perSecond.toFixed(0), p50.toFixed(2), p99.toFixed(2), ratio]);
    }
  }
  const lines = Object.entries(subjects).map(([name, { firstRequestMs, memoryMiB, sizeKiB }]) =>
    `${name}: first request ${firstRequestMs.toFixed(0)} ms, memory after the load ${memoryMiB.toFixed(0)} MiB, size ${sizeKiB.raw} KiB raw, ${sizeKiB.gzipped} KiB gzipped`,
  );
  return [...aligned(rows), "", ...lines].join("\n");
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "));
}

run(main);
