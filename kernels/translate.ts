/**
 * Pictures moved, and squares cut out of them, at places that random numbers say.
 *
 * @module
 */
import wgsl from "./translate.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { portions } from "./portions.ts";

const translateKernel = kernel("translate", wgsl, "translate");
const cutOutKernel = kernel("translate", wgsl, "cutOut");

/**
 * Moves each picture by whole pixels, from `-most` to `most` along either axis, each equally likely;
 * what comes in from outside is 0.
 *
 * @param x `[N, H, W, C]`.
 * @param u `[N, 2]` in [0, 1), along height and width.
 * @returns The shape of `x`.
 * @throws {RangeError} If the shapes do not fit.
 */
export function translate(x: Tensor, u: Tensor, most: number): Tensor {
  return moved(x, u, most, 1);
}

function moved(x: Tensor, u: Tensor, most: number, sign: number): Tensor {
  return move("translate", translateKernel, x, u, most, (dy) => moved(dy, u, most, -sign), {
    SIGN: sign,
  });
}

/**
 * Sets a square of `side` pixels of each picture to 0; its centre lies anywhere, so that part of it may
 * lie outside.
 *
 * @param x `[N, H, W, C]`.
 * @param u `[N, 2]` in [0, 1), along height and width.
 * @returns The shape of `x`.
 * @throws {RangeError} If the shapes do not fit.
 */
export function cutOut(x: Tensor, u: Tensor, side: number): Tensor {
  return move("cutOut", cutOutKernel, x, u, side, (dy) => cutOut(dy, u, side));
}

function move(
  op: string,
  k: Kernel,
  x: Tensor,
  u: Tensor,
  most: number,
  back: (dy: Tensor) => Tensor,
  constants: Readonly<Record<string, number>> = {},
): Tensor {
  const [N, H, W, C] = x.shape;
  if (x.shape.length !== 4 || u.size !== 2 * N) {
    throw new RangeError(
      `${op}: got x [${x.shape}] and u [${u.shape}], expected [N, H, W, C], [N, 2]`,
    );
  }
  return apply({
    op,
    inputs: [x],
    shape: x.shape,
    forward: (y) =>
      portions([x, u, y], N, ([x, u, y]) => {
        const params = { n: x.size, H, W, C, most };
        run(k, { x, u, y }, params, folded(Math.ceil(x.size / 64)), constants);
      }),
    backward: (dy) => [back(dy)],
  });
}
