/** Where one run's time goes, kernel by kernel, without timestamps. */
import { idle } from "../gpu/record.ts";
import type { Timing } from "../gpu/stopwatch.ts";

/**
 * Times kernels by the clock on the wall, for software devices, whose timestamps do not wait for the
 * work: on lavapipe they add up to a twentieth of what a step takes.
 *
 * The run is recorded once for each kernel with all other kernels left out and that one's dispatches
 * repeated until waiting (10 ms, always) does not matter; what the run takes with no dispatch at all
 * is taken off. So each dispatch is shown with the mean of its kernel's. Outputs are nonsense
 * meanwhile: use the job for nothing else afterwards.
 */
export async function byWallClock(run: () => void): Promise<Timing[]> {
  const filter = new DispatchFilter();
  try {
    run();
    await idle();
    const counts = new Map(filter.seen);
    const empty = await best(run, filter, undefined, 1);
    const timings: Timing[] = [];
    for (const [kernel, count] of counts) {
      let repeat = 1, took = await best(run, filter, kernel, 1) - empty;
      if (took < 100) {
        repeat = Math.min(200, Math.ceil(100 / Math.max(took, 0.5)));
        took = await best(run, filter, kernel, repeat) - empty;
      }
      const ms = Math.max(0, took / repeat) / count;
      for (let i = 0; i < count; i++) timings.push({ label: kernel, ms });
    }
    return timings;
  } finally {
    filter.remove();
  }
}

async function best(
  run: () => void,
  filter: DispatchFilter,
  kernel: string | undefined,
  repeat: number,
): Promise<number> {
  let ms = Infinity;
  for (let i = 0; i < 3; i++) {
    await idle();
    filter.keep(kernel, repeat);
    const start = performance.now();
    run();
    await idle();
    ms = Math.min(ms, performance.now() - start);
  }
  return ms;
}

/** Stands between `gpu/` and WebGPU: lets all dispatches pass, or one kernel's only, several times. */
class DispatchFilter {
  /** Dispatches so far by kernel, while all pass. */
  readonly seen = new Map<string, number>();
  #only: { kernel: string | undefined; repeat: number } | undefined;
  readonly #setPipeline = GPUComputePassEncoder.prototype.setPipeline;
  readonly #dispatch = GPUComputePassEncoder.prototype.dispatchWorkgroups;

  constructor() {
    // deno-lint-ignore no-this-alias
    const filter = this;
    let label = "";
    GPUComputePassEncoder.prototype.setPipeline = function (pipeline) {
      label = pipeline.label;
      filter.#setPipeline.call(this, pipeline);
    };
    GPUComputePassEncoder.prototype.dispatchWorkgroups = function (x, y, z) {
      const only = filter.#only;
      if (!only) filter.seen.set(label, (filter.seen.get(label) ?? 0) + 1);
      const times = !only ? 1 : only.kernel === label ? only.repeat : 0;
      for (let i = 0; i < times; i++) filter.#dispatch.call(this, x, y, z);
    };
  }

  keep(kernel: string | undefined, repeat: number): void {
    this.#only = { kernel, repeat };
  }

  remove(): void {
    GPUComputePassEncoder.prototype.setPipeline = this.#setPipeline;
    GPUComputePassEncoder.prototype.dispatchWorkgroups = this.#dispatch;
  }
}
