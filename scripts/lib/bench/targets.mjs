// What is aimed at: ours as a share of the floor's or the peer's, in one run.

const CPU = [
  ["tools/list", "floor", 1.6],
  ["tools/list", "peer", 1 / 15],
  ["tools/call", "floor", 1.4],
  ["tools/call", "peer", 1 / 3.5],
  ["401", "floor", 1.5],
  ["metadata", "floor", 1.5],
];

const WHOLE = [
  ["first request", "firstRequestMs", 2],
  ["memory after the load", "memoryMiB", 1 / 2],
];

/** Each target of what was measured: our share, the largest that is aimed at, and whether it is met. */
export function judged({ cases, subjects }) {
  const cpu = CPU.map(([what, against, most]) => ({ what, against, most, ours: cases[what]?.postern?.cpuMs, theirs: cases[what]?.[against]?.cpuMs }));
  const whole = WHOLE.map(([what, figure, most]) => ({ what, against: "peer", most, ours: subjects.postern?.[figure], theirs: subjects.peer?.[figure] }));
  return [...cpu, ...whole]
    .filter(({ ours, theirs }) => ours && theirs)
    .map(({ what, against, most, ours, theirs }) => ({ what, against, ratio: ours / theirs, most, met: ours / theirs <= most }));
}
