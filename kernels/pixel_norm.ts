/**
 * Pixel normalisation: scales the feature vector of every pixel to a root mean square of 1.
 *
 * @module
 */
import wgsl from "./pixel_norm.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply, reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { twinsByElement } from "./element.ts";
import { add, affine, mul, reciprocal, scale, sqrt, square } from "./elementwise.ts";
import { broadcastTo, mean } from "./reduce.ts";

const ENTRIES = ["normalise", "gradient"] as const;
const kernels = twinsByElement("pixel_norm", wgsl, ENTRIES);

// A row is one or two loops, and the software device ends loops at 65,535 iterations.
const MOST = 32_768;

/**
 * `y = x / sqrt(mean x^2 + eps)`, the mean over the last axis.
 *
 * @param x `[..., C]`: the feature maps of images, or latents `[N, nz]`.
 * @param eps Added to the mean square.
 * @returns The shape of `x`.
 * @throws {RangeError} If C is above 32,768.
 * @see Karras et al. 2018, section 4.2
 */
export function pixelNorm(x: Tensor, eps = 1e-8): Tensor {
  const C = x.shape.at(-1)!;
  if (C > MOST) {
    throw new RangeError(`pixelNorm: got shape [${x.shape}], expected at most ${MOST} channels`);
  }
  return apply({
    op: "pixelNorm",
    inputs: [x],
    shape: x.shape,
    forward: (y) => dispatch("normalise", { x, result: y }, C, eps),
    backward: (dy) => [pixelNormGrad(x, dy, eps)],
  });
}

/** `r dy - r^3 x mean(x dy)` with `r = 1 / sqrt(mean x^2 + eps)`, in one dispatch. */
function pixelNormGrad(x: Tensor, dy: Tensor, eps: number): Tensor {
  const C = x.shape.at(-1)!;
  return apply({
    op: "pixelNormGrad",
    inputs: [x, dy],
    shape: x.shape,
    forward: (dx) => dispatch("gradient", { x, dy, result: dx }, C, eps),
    backward: (d, _, need) => [
      need[0] ? slopeInX(x, dy, d, eps) : null,
      need[1] ? pixelNormGrad(x, d, eps) : null, // the Jacobian is symmetric
    ],
  });
}

/**
 * The gradient of `sum d (r v - r^3 x m(x v))`, m being the mean, with respect to `x`:
 * `-r^3 (x m(d v) + d m(x v) + v m(x d)) + 3 r^5 x m(x d) m(x v)`.
 */
function slopeInX(x: Tensor, v: Tensor, d: Tensor, eps: number): Tensor {
  const r = reciprocal(sqrt(affine(rowMean(square(x)), 1, eps))), r2 = square(r);
  const xv = rowMean(mul(x, v)), xd = rowMean(mul(x, d)), dv = rowMean(mul(d, v));
  const inX = add(scale(mul(r2, mul(xd, xv)), -3), dv);
  const terms = add(add(times(x, inX), times(d, xv)), times(v, xd));
  return scale(times(terms, mul(r, r2)), -1);
}

/** The mean over the last axis, which stays, with size 1. */
function rowMean(x: Tensor): Tensor {
  return reshape(mean(x, [x.shape.length - 1]), [...x.shape.slice(0, -1), 1]);
}

/** `x k`, `k` being one number a row. */
function times(x: Tensor, k: Tensor): Tensor {
  return mul(x, broadcastTo(k, x.shape));
}

function dispatch(
  entry: typeof ENTRIES[number],
  bound: Readonly<Record<string, Tensor>>,
  C: number,
  eps: number,
): void {
  const wide = C % 4 === 0, rows = bound.x.size / C;
  run(
    kernels[wide ? "vec4f" : "f32"][entry],
    bound,
    { rows, cols: wide ? C / 4 : C, k: 1 / C, eps },
    folded(Math.ceil(rows / 64)),
  );
}
