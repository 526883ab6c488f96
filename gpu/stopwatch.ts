import { gpu } from "./device.ts";
import { GpuError } from "./errors.ts";

/** One dispatch, timed on the device. */
export interface Timing {
  readonly label: string;
  readonly ms: number;
}

const LAPS = 2048; // a query set holds 4096 timestamps

/** Times passes with timestamp queries. */
export class Stopwatch {
  readonly #labels: string[] = [];
  readonly #queries: GPUQuerySet;
  readonly #ticks: GPUBuffer;
  readonly #host: GPUBuffer;

  constructor() {
    const device = gpu();
    if (!device.features.has("timestamp-query")) {
      throw new GpuError("This device has no timestamp queries: it cannot be profiled");
    }
    this.#queries = device.createQuerySet({ type: "timestamp", count: 2 * LAPS });
    const size = 16 * LAPS;
    this.#ticks = device.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#host = device.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** The descriptor of a pass that is to be timed. */
  lap(label: string): GPUComputePassDescriptor {
    const index = this.#labels.length;
    if (index >= LAPS) throw new GpuError(`profile: more than ${LAPS} dispatches`);
    this.#labels.push(label);
    return {
      label,
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      },
    };
  }

  resolve(encoder: GPUCommandEncoder): void {
    const count = 2 * this.#labels.length;
    if (count === 0) return;
    encoder.resolveQuerySet(this.#queries, 0, count, this.#ticks, 0);
    encoder.copyBufferToBuffer(this.#ticks, 0, this.#host, 0, 8 * count);
  }

  /** All laps, in order. Call it once, when the device is idle. */
  async timings(): Promise<Timing[]> {
    await this.#host.mapAsync(GPUMapMode.READ);
    const ticks = new BigInt64Array(this.#host.getMappedRange());
    return this.#labels.map((label, i) => ({
      label,
      ms: Number(ticks[2 * i + 1] - ticks[2 * i]) / 1e6,
    }));
  }

  destroy(): void {
    this.#queries.destroy();
    this.#ticks.destroy();
    this.#host.destroy();
  }
}

/** Where the time went, kernel by kernel, the longest first: lines of text. */
export function timingTable(timings: readonly Timing[]): string[] {
  const rows = new Map<string, { count: number; ms: number }>();
  let total = 0;
  for (const { label, ms } of timings) {
    const row = rows.get(label) ?? { count: 0, ms: 0 };
    rows.set(label, { count: row.count + 1, ms: row.ms + ms });
    total += ms;
  }
  const lines = [...rows].sort(([, a], [, b]) => b.ms - a.ms).map(([label, { count, ms }]) => {
    const share = `${(100 * ms / total).toFixed(1)}%`.padStart(6);
    return `${ms.toFixed(2).padStart(9)} ms ${share} ${String(count).padStart(4)}x  ${label}`;
  });
  return [`${total.toFixed(2)} ms in ${timings.length} dispatches`, ...lines];
}
