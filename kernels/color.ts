import wgsl from "./color.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { sumInto } from "./reduce.ts";

const colorKernel = kernel("color", wgsl);

/**
 * Changes each image's brightness by -0.5 to 0.5, then its saturation times 0 to 2, then its contrast
 * times 0.5 to 1.5: `c (s (x + b - grey) + grey - mean) + mean` with a pixel's and an image's mean of
 * `x + b`. Gray images have no saturation; alpha stays as it is, and counts in no mean.
 *
 * @param x `[N, H, W, C]` of a multiple of four pixels and 1, 3 or 4 channels.
 * @param u `[N, 4]` in [0, 1), of which three an image are used.
 * @returns The shape of `x`.
 * @throws {RangeError} If the shapes do not fit.
 * @see Zhao et al. 2020, https://arxiv.org/abs/2006.10738, and the authors' code
 */
export function color(x: Tensor, u: Tensor): Tensor {
  const [N, H, W, C] = x.shape;
  if (x.shape.length !== 4 || ![1, 3, 4].includes(C) || H * W % 4 || u.size !== 4 * N) {
    throw new RangeError(
      `color: got x [${x.shape}] and u [${u.shape}], expected [N, H, W, C] with C of 1, 3 or 4 and ` +
        `H W a multiple of 4, and [N, 4]`,
    );
  }
  return changed(x, u, 1);
}

/** Without the shift it is linear and its own adjoint: both means are symmetric. */
function changed(x: Tensor, u: Tensor, shift: number): Tensor {
  const [N, H, W, C] = x.shape, blocks = C === 4 ? H * W : H * W / 4;
  const k = 1 / (Math.min(C, 3) * H * W);
  return apply({
    op: "color",
    inputs: [x],
    shape: x.shape,
    forward: (y) => {
      const sums = empty([N, 4]);
      sumInto(sums, x, [N, C * H * W / 4, 4]);
      const grid = [Math.ceil(blocks / 64), N, 1] as const;
      run(colorKernel, { x, sums, u, y }, { blocks, k, shift }, grid, { C });
    },
    backward: (dy) => [changed(dy, u, 0)],
  });
}
