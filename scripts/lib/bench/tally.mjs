// Counts what one case costs one worker.

/** Requests of one case, their CPU time and latencies. */
export class Tally {
  #process;
  #connections;
  #parallel;
  #next;
  #latencies = [];
  #cpuMs = 0;
  #wallMs = 0;

  constructor({ process, connections, parallel, next }) {
    this.#process = process;
    this.#connections = connections;
    this.#parallel = parallel;
    this.#next = next;
  }

  /** Makes `count` requests; those that are not counted only warm up. */
  async run(count, { counted = true } = {}) {
    const latencies = [];
    const cpu = this.#process.cpuMs();
    const began = performance.now();
    let left = count;
    const lane = async () => {
      while (left-- > 0) latencies.push(await this.#one());
    };
    await Promise.all(Array.from({ length: this.#parallel }, lane));
    if (!counted) return;
    this.#wallMs += performance.now() - began;
    this.#cpuMs += this.#process.cpuMs() - cpu;
    this.#latencies.push(...latencies);
  }

  async #one() {
    const request = this.#next();
    const began = performance.now();
    const { status, body } = await this.#connections.send(request);
    const latency = performance.now() - began;
    if (status !== (request.expect ?? 200)) throw new Error(`${request.path} answered ${status}: ${body.slice(0, 300)}`);
    request.then?.(body);
    return latency;
  }

  figures() {
    const sorted = this.#latencies.toSorted((one, other) => one - other);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return { cpuMs: this.#cpuMs / sorted.length, perSecond: (sorted.length / this.#wallMs) * 1000, p50: at(0.5), p99: at(0.99) };
  }
}
