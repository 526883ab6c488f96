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
 * `x + b`.
 *
 * @param x `[N, H, W, 3]` of a multiple of four pixels.
 * @param u `[N, 4]` in [0, 1), of which three an image are used.
 * @returns The shape of `x`.
 * @throws {RangeError} If the shapes do not fit.
 * @see Zhao et al. 2020, https://arxiv.org/abs/2006.10738, and the authors' code
 */
export function color(x: Tensor, u: Tensor): Tensor {
  const [N, H, W, C] = x.shape;
  if (x.shape.length !== 4 || C !== 3 || H * W % 4 || u.size !== 4 * N) {
    throw new RangeError(
      `color: got x [${x.shape}] and u [${u.shape}], expected [N, H, W, 3] with H W a multiple of ` +
        `4, and [N, 4]`,
    );
  }
  return changed(x, u, 1);
}

/** Without the shift it is linear and its own adjoint: both means are symmetric. */
function changed(x: Tensor, u: Tensor, shift: number): Tensor {
  const [N, H, W] = x.shape, n4 = H * W / 4, k = 1 / (3 * H * W);
  return apply({
    op: "color",
    inputs: [x],
    shape: x.shape,
    forward: (y) => {
      const sums = empty([N, 4]);
      sumInto(sums, x, [N, 3 * n4, 4]);
      run(colorKernel, { x, sums, u, y }, { n4, k, shift }, [Math.ceil(n4 / 64), N, 1]);
    },
    backward: (dy) => [changed(dy, u, 0)],
  });
}
