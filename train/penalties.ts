/**
 * Terms beside the loss: on the slope of D, on its logits, on the size of weights.
 *
 * The slope's need a D whose every op has a second derivative: batch norm's has none, and would let
 * D's answer to one image depend on the others.
 *
 * @module
 */
import { abs, add, affine, mul, scale, sqrt, square, sub } from "../kernels/elementwise.ts";
import { mean, sum } from "../kernels/reduce.ts";
import { grad } from "../nn/grad.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * `E (|dD(x)/dx| - 1)^2` at `x = t real + (1 - t) fake`.
 *
 * @param D Images to logits `[N]`.
 * @param real `[N, ...]`, such as `[N, H, W, C]`.
 * @param fake Of the same shape; taken as a constant.
 * @param t `[N]`, uniform in [0, 1].
 * @see Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, algorithm 1
 */
export function gradientPenalty(
  D: (x: Tensor) => Tensor,
  real: Tensor,
  fake: Tensor,
  t: Tensor,
): Tensor {
  const each = [t.size, ...real.shape.slice(1).map(() => 1)];
  const x = add(fake, mul(sub(real, fake), reshape(t, each)));
  // The root's own slope at 0 is infinite.
  const length = sqrt(affine(squaredSlope(D(x), x), 1, 1e-12));
  return mean(square(affine(length, 1, -1)));
}

/**
 * `E |dD(x)/dx|^2` at real images.
 *
 * @param logits `[N]`, what D made of `real`, or of what augmentation made of it.
 * @param real `[N, ...]`, such as `[N, H, W, C]`.
 * @see Mescheder et al. 2018, https://arxiv.org/abs/1801.04406, equation 9
 */
export function slopePenalty(logits: Tensor, real: Tensor): Tensor {
  return mean(squaredSlope(logits, real));
}

/** `|d logits[n] / dx[n]|^2`, `[N]`, with a gradient of its own. */
function squaredSlope(logits: Tensor, x: Tensor): Tensor {
  // Each logit depends on its own image only, so the sum's gradient holds them all.
  const [dx] = grad(sum(logits), [x], { createGraph: true });
  return sum(square(dx), dx.shape.slice(1).map((_, axis) => axis + 1));
}

/**
 * `E D(x)^2`.
 *
 * @param logits `[N]`.
 * @see Karras et al. 2018, https://arxiv.org/abs/1710.10196, appendix A.1
 */
export function driftPenalty(logits: Tensor): Tensor {
  return mean(square(logits));
}

/**
 * `l1 sum |w| + l2 / 2 sum w^2` over weights of two axes or more: not over biases and norms.
 *
 * @returns Undefined where both are 0.
 */
export function weightPenalty(
  params: readonly Tensor[],
  l1: number,
  l2: number,
): Tensor | undefined {
  if (l1 === 0 && l2 === 0) return undefined;
  return params.filter(({ shape }) => shape.length > 1).flatMap((w) => [
    ...l1 ? [scale(sum(abs(w)), l1)] : [],
    ...l2 ? [scale(sum(square(w)), l2 / 2)] : [],
  ]).reduce(add);
}
