/**
 * Batch normalisation, fused with the (leaky) ReLU behind it.
 *
 * @module
 */
import wgsl from "./batch_norm.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded, run } from "../gpu/record.ts";
import { apply } from "../tensor/op.ts";
import { empty, sameShape, type Tensor } from "../tensor/tensor.ts";

const named = (entry: string) => kernel("batch_norm", wgsl, entry);
const moments = named("moments"), finish = named("finish"), fromRunning = named("from_running");
const normalise = named("normalise"), gradientSums = named("gradient_sums");
const gradientFinish = named("gradient_finish"), gradient = named("gradient");

/** The tensors of a batch normalisation, each `[C]`. */
export interface BatchNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** Moved towards the batch's statistics in training. */
  readonly running_mean: Tensor;
  readonly running_var: Tensor;
}

/** As PyTorch names them; `slope` is that of a leaky ReLU to apply, 1 for none, 0 for a ReLU. */
export interface BatchNormOptions {
  readonly training: boolean;
  readonly eps: number;
  readonly momentum: number;
  readonly slope: number;
}

/**
 * `lrelu(gamma (x - mean) / sqrt(var + eps) + beta)` over all but the last axis.
 *
 * In training, with the batch's mean and biased variance, and the running statistics move; else with
 * the running statistics. It has a gradient in training, and no second one.
 *
 * @param x `[..., C]`.
 * @throws {RangeError} If the channels differ.
 */
export function batchNorm(x: Tensor, norm: BatchNorm, options: BatchNormOptions): Tensor {
  const { weight: gamma, bias: beta, running_mean, running_var } = norm;
  const C = x.shape.at(-1)!, rows = x.size / C;
  if (!sameShape(gamma.shape, [C])) {
    throw new RangeError(`batchNorm: x is [${x.shape}], weight is [${gamma.shape}]`);
  }
  const { training, eps, momentum, slope: k } = options;
  // Enough invocations to fill a device; few enough partial sums to add.
  const chunks = Math.max(1, Math.min(256, Math.ceil(rows / 16), Math.ceil(16_384 / C)));
  const params = { rows, C, chunks, eps, momentum, k };
  const perChannel = folded(Math.ceil(C / 64)), perChunk = folded(Math.ceil(chunks * C / 64));
  const perElement = folded(Math.ceil(rows * C / 64));

  const stats = empty([C, 2]);
  if (training) {
    const partial = empty([chunks, C, 2]);
    run(moments, { x, partial }, params, perChunk);
    run(finish, { x, partial, stats, running_mean, running_var }, params, perChannel);
  } else {
    run(fromRunning, { stats, running_mean, running_var }, params, perChannel);
  }
  return apply({
    op: "batchNorm",
    inputs: [x, gamma, beta],
    shape: x.shape,
    forward: (result) => run(normalise, { x, stats, gamma, beta, result }, params, perElement),
    ...(training && {
      backward: (dy: Tensor, y: Tensor) => {
        const partial = empty([chunks, C, 2]);
        run(gradientSums, { x, y, dy, stats, partial }, params, perChunk);
        const dbeta = empty([C]);
        // Fused: that these have no gradient of their own is noted by the missing rule.
        const inputs = [x, dy];
        const dgamma = apply({
          op: "batchNorm's gradient",
          inputs,
          shape: [C],
          forward: (dgamma) => run(gradientFinish, { partial, dgamma, dbeta }, params, perChannel),
        });
        const dx = apply({
          op: "batchNorm's gradient",
          inputs,
          shape: x.shape,
          forward: (result) =>
            run(gradient, { x, y, dy, stats, gamma, dgamma, dbeta, result }, params, perElement),
        });
        return [dx, dgamma, dbeta];
      },
    }),
  });
}
