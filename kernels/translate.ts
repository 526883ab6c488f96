/**
 * Translates images and cuts squares out of them, both at random.
 *
 * @module
 */
import wgsl from "./translate.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

const translateKernel = kernel("translate", wgsl);

/** How far and how large, in pixels. */
export interface Translation {
  /** Images are moved by `-most` to `most` along either axis, each equally likely. */
  readonly most: number;
  /** Then a square of this side becomes 0; its centre lies anywhere, so part of it may lie outside. */
  readonly side: number;
}

/**
 * Moves each image by whole pixels and cuts a square out of it; what comes in from outside is 0.
 *
 * @param x `[N, H, W, C]` with rows `W C` of a multiple of four numbers.
 * @param u `[N, 4]` in [0, 1): for the move along height and width, and for the square.
 * @returns The shape of `x`.
 * @throws {RangeError} If the shapes do not fit.
 */
export function translate(x: Tensor, u: Tensor, by: Translation): Tensor {
  const [N, , W, C] = x.shape;
  if (x.shape.length !== 4 || u.size !== 4 * N || W * C % 4) {
    throw new RangeError(
      `translate: got x [${x.shape}] and u [${u.shape}], expected [N, H, W, C] with W C a multiple ` +
        `of 4, and [N, 4]`,
    );
  }
  return moved(x, u, by, false);
}

function moved(x: Tensor, u: Tensor, by: Translation, back: boolean): Tensor {
  const [N, H, W, C] = x.shape;
  return apply({
    op: "translate",
    inputs: [x],
    shape: x.shape,
    forward: (y) => {
      const grid = [Math.ceil(W * C / 4 / 32), H, N] as const;
      run(translateKernel, { x, u, y }, { H, W, C, ...by }, grid, { BACK: Number(back) });
    },
    backward: (dy) => [moved(dy, u, by, !back)],
  });
}
