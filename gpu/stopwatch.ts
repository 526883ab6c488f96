/**
 * Times passes by the device's clock.
 *
 * @module
 */
import { GpuError } from "./errors.ts";

/** One dispatch, timed on the device. */
export interface Timing {
  readonly label: string;
  readonly ms: number;
}

/** What the clock showed around a pass, in nanoseconds. */
export interface Lap {
  readonly label: string;
  readonly begin: bigint;
  readonly end: bigint;
}

const LAPS = 2048; // a query set holds 4096 timestamps
const STEPS = 20; // of the clock, so that a time is right to 5%
const FINE = 100; // nanoseconds; any kernel takes more than STEPS of these
const MOST_REPEATS = 1 << 16;

/** Times passes with timestamp queries. */
export class Stopwatch {
  readonly #labels: string[] = [];
  readonly #queries: GPUQuerySet;
  readonly #ticks: GPUBuffer;
  readonly #host: GPUBuffer;

  /** @param repeats How often each pass makes its dispatch, in order; once where that ends. */
  constructor(device: GPUDevice, readonly repeats: readonly number[]) {
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

  /** How often the last pass makes its dispatch. */
  get repeat(): number {
    return this.repeats[this.#labels.length - 1] ?? 1;
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
  async laps(): Promise<Lap[]> {
    await this.#host.mapAsync(GPUMapMode.READ);
    const ticks = new BigInt64Array(this.#host.getMappedRange());
    return this.#labels.map((label, i) => ({
      label,
      begin: ticks[2 * i],
      end: ticks[2 * i + 1],
    }));
  }

  destroy(): void {
    this.#queries.destroy();
    this.#ticks.destroy();
    this.#host.destroy();
  }
}

/**
 * The times of laps, measured with more repeats until each takes at least 20 steps of the
 * clock: Dawn's has steps of 65,536 ns.
 *
 * @param measure Times all laps, each with its number of repeats, by default one.
 */
export async function timed(
  measure: (repeats: readonly number[]) => Promise<readonly Lap[]>,
): Promise<Timing[]> {
  for (let repeats: readonly number[] = [];;) {
    const laps = await measure(repeats), step = stepOf(laps);
    const more = laps.map(({ begin, end }, i) => {
      const repeat = repeats[i] ?? 1, ns = Number(end - begin);
      if (step < FINE || ns >= STEPS * step || repeat === MOST_REPEATS) return repeat;
      return Math.min(MOST_REPEATS, repeat * Math.ceil(1.5 * STEPS * step / Math.max(ns, step)));
    });
    if (more.every((repeat, i) => repeat === (repeats[i] ?? 1))) {
      return laps.map((lap, i) => timingOf(lap, more[i]));
    }
    repeats = more;
  }
}

/** The time of a dispatch that a lap made as often as told. */
export function timingOf({ label, begin, end }: Lap, repeat = 1): Timing {
  return { label, ms: Number(end - begin) / repeat / 1e6 };
}

/** Nanoseconds that divide all that a clock showed. */
function stepOf(laps: readonly Lap[]): number {
  let step = 0n;
  for (const { begin, end } of laps) {
    for (let tick of [begin, end]) while (tick) [step, tick] = [tick, step % tick];
  }
  return Number(step);
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
