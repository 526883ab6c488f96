/**
 * Batch normalisation, fused with the (leaky) ReLU behind it.
 *
 * @module
 */
import wgsl from "./batch_norm.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { part } from "../gpu/memory.ts";
import { type Bindable, folded, run } from "../gpu/record.ts";
import { apply } from "../tensor/op.ts";
import { empty, sameShape, type Tensor } from "../tensor/tensor.ts";
import { portions, portionsOf } from "./portions.ts";
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
 * @throws {RangeError} If the channels differ.
 */
export function batchNorm(x: Tensor, norm: BatchNorm, options: BatchNormOptions): Tensor {
  const { weight: gamma, bias: beta, running_mean, running_var } = norm;
  const C = x.shape.at(-1)!, rows = x.size / C;
  if (!sameShape(gamma.shape, [C])) {
    throw new RangeError(`batchNorm: x is [${x.shape}], weight is [${gamma.shape}]`);
  }
  const { training, eps, momentum, slope: k } = options;
  const fours = C % 4 === 0, columns = fours ? C / 4 : C, kernels = fours ? byFours : byOnes;
  // Enough invocations to fill a device, and rows enough for each to be worth it.
  const together = variant() === "group", invocations = together ? 32_768 : 1024;
  const chunks = Math.max(1, Math.min(Math.ceil(rows / 4), Math.ceil(invocations / columns), 1024));
  const params = { rows, total: rows, C: columns, chunks, begin: 0, eps, momentum, k };
  const perChannel = folded(Math.ceil(columns / 64));
  const finish = together ? kernels.finishGroup : kernels.finish;
  const gradientFinish = together ? kernels.gradient_finishGroup : kernels.gradient_finish;
  const finished = together ? folded(columns) : perChannel;
  const perChunk = folded(Math.ceil(chunks * columns / 64));
  // Both sums of each channel, from as many chunks of every portion of the rows.
  const sums = (
    tensors: readonly Tensor[],
    kernel: Kernel,
    bound: (parts: readonly Tensor[]) => Bound,
  ) => {
    const all = chunks * portionsOf(tensors, rows), partial = empty([all, 2, C]);
    portions(
      tensors,
      rows,
      (parts, rows, nth) =>
        run(
          kernel,
          { ...bound(parts), partial },
          { ...params, rows, begin: nth * chunks },
          perChunk,
        ),
    );
    return { partial, params: { ...params, chunks: all } };
  };

  const stats = empty([2, C]);
  if (training) {
    const origin = part(x.storage, 0, 4 * C);
    const { partial, params } = sums([x], kernels.moments, ([x]) => ({ x, origin }));
    run(finish, { origin, partial, stats, running_mean, running_var }, params, finished);
  } else {
    run(kernels.from_running, { stats, running_mean, running_var }, params, perChannel);
  }
  return apply({
    op: "batchNorm",
    inputs: [x, gamma, beta],
    shape: x.shape,
    forward: (result) =>
      portions(
        [x, result],
        rows,
        ([x, result], rows) =>
          run(kernels.normalise, { x, stats, gamma, beta, result }, { ...params, rows }, perChunk),
      ),
    ...(training && {
      backward: (dy: Tensor) => {
        const { partial, params: finishing } = sums(
          [x, dy],
          kernels.gradient_sums,
          ([x, dy]) => ({ x, dy, stats, gamma, beta }),
        );
        const dbeta = empty([C]);
        // Fused: that these have no gradient of their own is noted by the missing rule.
        const inputs = [x, dy];
        const dgamma = apply({
          op: "batchNorm's gradient",
          inputs,
          shape: [C],
          forward: (dgamma) => run(gradientFinish, { partial, dgamma, dbeta }, finishing, finished),
        });
        const dx = apply({
          op: "batchNorm's gradient",
          inputs,
          shape: x.shape,
          forward: (result) =>
            portions([x, dy, result], rows, ([x, dy, result], rows) =>
              run(
                kernels.gradient,
                { x, dy, stats, gamma, beta, dgamma, dbeta, result },
                { ...params, rows },
                perChunk,
              )),
        });
        return [dx, dgamma, dbeta];
      },
    }),
  });
}
