/** What the benchmark times, of whatever kind. */
import { normal } from "../kernels/random.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";

/** One thing to time. */
export interface Job {
  readonly shape: string;
  /** Records the job once. */
  readonly run: () => void;
  /** The same, to be rehearsed: afterwards all is as before. By default `run`. */
  readonly rehearse?: () => void;
  /** Runs the job and compares outputs with a float64 reference; throws if one is wrong. */
  readonly check: () => Promise<void>;
  /** What it reads, which kernels may keep laid out between two runs that change nothing. */
  readonly inputs: readonly Tensor[];
  /** Bytes that an ideal kernel moves, where that is what counts. */
  readonly bytes?: number;
  /** Images, where that is what counts. */
  readonly images?: number;
  /** Runs it as training does, which plays a step that it has recorded. */
  readonly player?: { readonly step: () => void; readonly forget: () => void };
}

/** Normal numbers to work on, the same in every run. */
export function draw(shape: Shape, stream: number): Tensor {
  return normal(shape, { seed: 1, stream, counter: 0 });
}
