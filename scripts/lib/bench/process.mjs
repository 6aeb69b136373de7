// What the system says of a process (Linux).

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** The unit of /proc's times. */
const TICK_MS = 1000 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** A workerd process. */
export class Process {
  constructor(pid) {
    this.pid = pid;
  }

  /** The workerd processes that this one has started. */
  static children() {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => {
      const stat = statOf(pid);
      return stat?.parent === process.pid && stat.name === "workerd";
    });
  }

  /** The one that has been started since `before` was read. */
  static startedSince(before) {
    const fresh = Process.children().filter((pid) => !before.includes(pid));
    if (fresh.length !== 1) throw new Error(`${fresh.length} workerd processes were started, not one`);
    return new Process(fresh[0]);
  }

  /** CPU time so far, in milliseconds: its own and the system's for it. */
  cpuMs() {
    return statOf(this.pid).ticks * TICK_MS;
  }

  /** Resident memory. */
  memoryMiB() {
    const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"));
    return Number(kib) / 1024;
  }
}

function statOf(pid) {
  try {
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const fields = rest.split(" ");
    return { name, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch (cause) {
    // A process may end while it is looked at.
    if (cause.code === "ENOENT" || cause.code === "ESRCH") return undefined;
    throw cause;
  }
}
