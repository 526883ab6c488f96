/**
 * Batch normalisation, fused with the (leaky) ReLU behind it.
 *
 * @module
 */
import wgsl from "./batch_norm.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { bindable, part } from "../gpu/memory.ts";
import { type Bindable, folded, run } from "../gpu/record.ts";
import { apply } from "../tensor/op.ts";
import { empty, sameShape, type Tensor } from "../tensor/tensor.ts";
import { portionsByName, portionsOf } from "./portions.ts";
import { eachOf } from "./slice.ts";
import { variant } from "./variant.ts";

const ENTRIES = [
  "moments",
  "finish",
  "finishGroup",
  "from_running",
  "normalise",
  "gradient_sums",
  "gradient_finish",
  "gradient_finishGroup",
  "gradient",
] as const;

type Kernels = Record<typeof ENTRIES[number], Kernel>;
type Bound = Readonly<Record<string, Bindable>>;

function family(code: string): Kernels {
  return Object.fromEntries(
    ENTRIES.map((entry) => [entry, kernel("batch_norm", code, entry)]),
  ) as Kernels;
}

const byFours = family(wgsl), byOnes = family(wgsl.replace("alias V = vec4f", "alias V = f32"));

/** The tensors of a batch normalisation, each `[C]`. */
export interface BatchNorm {
  /** gamma, `[C]`. */
  readonly weight: Tensor;
  /** beta, `[C]`. */
  readonly bias: Tensor;
  /** Moved towards the batch's statistics in training. */
  readonly running_mean: Tensor;
  /** Moved in the same way, towards the unbiased variance. */
  readonly running_var: Tensor;
}

/** As PyTorch names them; `slope` is that of a leaky ReLU to apply, 1 for none, 0 for a ReLU. */
export interface BatchNormOptions {
  /** Whether the batch's statistics are used and the running ones moved. */
  readonly training: boolean;
  /** Added to the variance. */
  readonly eps: number;
  /** Share of the batch's statistics in the running ones. */
  readonly momentum: number;
  /** Of the leaky ReLU behind it: 1 for none, 0 for a ReLU. */
  readonly slope: number;
}

/**
 * `lrelu(gamma (x - mean) / sqrt(var + eps) + beta)` over all but the last axis.
 *
 * In training, with the batch's mean and biased variance, and the running statistics move; else with
 * the running statistics. It has a gradient in training, and no second one.
 *
 * @param x `[..., C]`.
 * @param batches How many batches `x` is along its first axis: each is normalised on its own in training,
 * and moves the running statistics in its turn.
 * @throws {RangeError} If the channels differ, or the batches are not of one size.
 */
export function batchNorm(
  x: Tensor,
  norm: BatchNorm,
  options: BatchNormOptions,
  batches = 1,
): Tensor {
  const { weight: gamma, bias: beta, running_mean, running_var } = norm;
  const { training, eps, momentum, slope: k } = options;
  if (!training) batches = 1;
  const C = x.shape.at(-1)!, rows = x.size / C / batches;
  if (!sameShape(gamma.shape, [C])) {
    throw new RangeError(`batchNorm: x is [${x.shape}], weight is [${gamma.shape}]`);
  }
  if (batches > 1 && 4 * x.size > bindable()) {
    return eachOf(batches, x, (x) => batchNorm(x, norm, options));
  }
  const fours = C % 4 === 0, columns = fours ? C / 4 : C, kernels = fours ? byFours : byOnes;
  // Enough invocations to fill a device, and rows enough for each to be worth it.
  const together = variant() === "group", invocations = (together ? 32_768 : 1024) / batches;
  const step = Math.max(1, Math.min(Math.ceil(rows / 4), Math.ceil(invocations / columns), 1024));
  const params = {
    ...{ batches, rows, total: rows, C: columns, step, chunks: step, begin: 0 },
    ...{ eps, momentum, k },
  };
  const perChannel = folded(Math.ceil(columns / 64));
  const finish = together ? kernels.finishGroup : kernels.finish;
  const gradientFinish = together ? kernels.gradient_finishGroup : kernels.gradient_finish;
  const finished = together ? folded(columns) : perChannel;
  const perChunk = folded(Math.ceil(step * columns / 64), batches);
  // All rows of all batches, or as many of the one batch as can be bound.
  const byRows = (
    tensors: Readonly<Record<string, Tensor>>,
    body: (bound: Bound, rows: number, nth: number) => void,
  ) => portionsByName(tensors, batches * rows, (bound, n, nth) => body(bound, n / batches, nth));
  // Both sums of each channel, from as many chunks of every portion of the rows.
  const sumUp = (kernel: Kernel, tensors: Readonly<Record<string, Tensor>>, others: Bound) => {
    const chunks = step * portionsOf(Object.values(tensors), batches * rows);
    const partial = empty([batches, chunks, 2, C]);
    byRows(tensors, (bound, rows, nth) => {
      const own = { ...params, rows, chunks, begin: nth * step };
      run(kernel, { ...bound, ...others, partial }, own, perChunk);
    });
    return { partial, params: { ...params, chunks } };
  };

  const stats = empty([batches, 2, C]);
  if (training) {
    const origin = batches > 1 ? x.storage : part(x.storage, 0, 4 * C);
    const { partial, params } = sumUp(kernels.moments, { x }, { origin });
    run(finish, { origin, partial, stats, running_mean, running_var }, params, finished);
  } else {
    run(kernels.from_running, { stats, running_mean, running_var }, params, perChannel);
  }
  const known = { stats, gamma, beta };
  return apply({
    op: "batchNorm",
    inputs: [x, gamma, beta],
    shape: x.shape,
    forward: (result) =>
      byRows(
        { x, result },
        (bound, rows) =>
          run(kernels.normalise, { ...bound, ...known }, { ...params, rows }, perChunk),
      ),
    ...(training && {
      backward: (dy: Tensor) => {
        const { partial, params: finishing } = sumUp(kernels.gradient_sums, { x, dy }, known);
        const dbeta = empty([C]), gradients = empty([batches, 2, C]);
        // Fused: that these have no gradient of their own is noted by the missing rule.
        const op = "batchNorm's gradient", inputs = [x, dy];
        const dgamma = apply({
          op,
          inputs,
          shape: [C],
          forward: (dgamma) =>
            run(gradientFinish, { partial, gradients, dgamma, dbeta }, finishing, finished),
        });
        const dx = apply({
          op,
          inputs,
          shape: x.shape,
          forward: (result) =>
            byRows(
              { x, dy, result },
              (bound, rows) =>
                run(
                  kernels.gradient,
                  { ...bound, ...known, gradients },
                  { ...params, rows },
                  perChunk,
                ),
            ),
        });
        return [dx, dgamma, dbeta];
      },
    }),
  });
}
