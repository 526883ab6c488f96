import { add, scale } from "../kernels/elementwise.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How far growing networks have grown, and how much of the newest level shows. */
export interface Stage {
  /** Side of the images in pixels. */
  readonly resolution: number;
  /** Whether the branch of half the side is still there, to be mixed in. */
  readonly fading: boolean;
  /** Share of the newest level, in [0, 1]; it grows from step to step while it is faded in. */
  alpha: number;
}

/**
 * What a stage that fades in shows: of `old`, which is what half the side would show, a share that
 * shrinks from step to step.
 */
export function mix(old: Tensor, fresh: Tensor, stage: Stage): Tensor {
  return add(scale(old, () => 1 - stage.alpha), scale(fresh, () => stage.alpha));
}

/** Side of the first images, in pixels. */
export const FIRST = 4;

/**
 * How often 4 pixels must be doubled: 0 for 4, 4 for 64.
 *
 * @throws {RangeError} If the side is no power of two of at least 4.
 */
export function levelOf(resolution: number): number {
  const level = Math.log2(resolution / FIRST);
  if (!Number.isInteger(level) || level < 0) {
    throw new RangeError(`resolution ${resolution} is not a power of two of at least ${FIRST}`);
  }
  return level;
}
