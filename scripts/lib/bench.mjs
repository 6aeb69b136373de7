// scripts/bench: what a request costs here, at the peer, and at the least, measured in one run.

import { writeFileSync } from "node:fs";
import { readOptions, run } from "./cli.mjs";
import { CASES } from "./bench/cases.mjs";
import { startFloor, startOurs, startPeer } from "./bench/subjects.mjs";
import { judged } from "./bench/targets.mjs";
import { Trouble } from "./worker.mjs";

const USAGE = `scripts/bench [--case NAME]... [--json FILE]

Prints what each kind of request costs: CPU-ms of the workerd process (its simulators of the databases included),
requests per second, latency, first request, memory, size; and how that stands to the targets. Compare within one run
only. The floor is a bare Rust worker that answers as many bytes, at tools/call after one D1 batch of two selects.

  --case NAME    only this case, or several: ${Object.keys(CASES).join(", ")}
  --json FILE    writes the figures there too`;

/** Requests before measuring, and measured in each of the rounds; the subjects take turns. */
const WARM_UP = 600;
const PER_ROUND = 250;
const ROUNDS = 6;

async function main() {
  const { values } = readOptions(USAGE, {
    case: { type: "string", multiple: true },
    json: { type: "string" },
    floor: { type: "string" },
    peer: { type: "string" },
  });
  const wanted = values.case ?? Object.keys(CASES);
  for (const name of wanted) if (!CASES[name]) throw new Trouble(`there is no case ${name}`, USAGE);

  const subjects = [];
  try {
    subjects.push(await startOurs());
    if (values.floor) subjects.push(await startFloor(values.floor));
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
    const sample = await subjects[0].sample(name);
    const taking = subjects.filter((subject) => subject.takes(name));
    const tallies = taking.map((subject) => subject.prepare(name, sample));
    for (const tally of tallies) await tally.run(WARM_UP, { counted: false });
    for (let round = 0; round < ROUNDS; round += 1) for (const tally of tallies) await tally.run(PER_ROUND);
    cases[name] = Object.fromEntries(taking.map((subject, index) => [subject.name, tallies[index].figures()]));
  }
  const figures = { cases, subjects: Object.fromEntries(subjects.map((subject) => [subject.name, subject.figures()])) };
  return { ...figures, targets: judged(figures) };
}

function table({ cases, subjects, targets }) {
  const rows = [["case", "worker", "CPU-ms", "requests/s", "p50 ms", "p99 ms"]];
  for (const [name, by] of Object.entries(cases)) {
    for (const [subject, { cpuMs, perSecond, p50, p99 }] of Object.entries(by)) {
      rows.push([name, subject, cpuMs.toFixed(2), perSecond.toFixed(0), p50.toFixed(2), p99.toFixed(2)]);
    }
  }
  const lines = Object.entries(subjects).map(([name, { firstRequestMs, memoryMiB, sizeKiB }]) =>
    `${name}: first request ${firstRequestMs.toFixed(0)} ms, memory after the load ${memoryMiB.toFixed(0)} MiB, size ${sizeKiB.raw} KiB raw, ${sizeKiB.gzipped} KiB gzipped`,
  );
  const goals = [["target", "against", "ours", "at most", ""]];
  for (const { what, against, ratio, most, met } of targets) goals.push([what, against, ratio.toFixed(3), most.toFixed(3), met ? "met" : "missed"]);
  return [...aligned(rows), "", ...lines, "", ...(targets.length ? aligned(goals) : [])].join("\n");
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "));
}

run(main);
