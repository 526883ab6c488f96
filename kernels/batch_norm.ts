/**
 * Batch normalisation, fused with the (leaky) ReLU after it.
 *
 * @module
 */
import wgsl from "./batch_norm.wgsl" with { type: "text" };
import { part } from "../gpu/memory.ts";
import type { Bound } from "../gpu/bind.ts";
import { folded, type Grid } from "../gpu/record.ts";
import { run, type Runnable } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import { empty, sameShape, type Shape, type Tensor } from "../tensor/tensor.ts";
import { twinsByElement } from "./element.ts";
import { variant } from "./variant.ts";

const ENTRIES = [
  "moments",
  "normalise",
  "normalise_by_running",
  "gradient_sums",
  "gradient",
] as const;

/** Columns of channels a workgroup reduces, and lanes a column. */
const COLUMNS = 16, LANES = 16;
const kernels = {
  lane: twinsByElement("batch_norm", wgsl, ENTRIES, { GROUP: false }),
  group: twinsByElement("batch_norm", wgsl, ENTRIES, { GROUP: true, COLUMNS, LANES }),
};
// Invocations that fill a device, and the least rows an invocation.
const ENOUGH = { lane: 1024, group: 32_768 }, LEAST_ROWS = 4;

/** The tensors of a batch normalisation, each `[C]`. */
export interface BatchNorm {
  /** gamma, `[C]`. */
  readonly weight: Tensor;
  /** beta, `[C]`. */
  readonly bias: Tensor;
  /** Running mean, updated in training. */
  readonly running_mean: Tensor;
  /** Running unbiased variance, updated in training. */
  readonly running_var: Tensor;
}

/** Options by PyTorch's names, and the slope of the leaky ReLU. */
export interface BatchNormOptions {
  /** Whether the batch's statistics are used and the running ones updated. */
  readonly training: boolean;
  /** Added to the variance. */
  readonly eps: number;
  /** Share of the batch's statistics in the running ones. */
  readonly momentum: number;
  /** Slope of the leaky ReLU after it: 1 for none, 0 for a ReLU. */
  readonly slope: number;
}

/**
 * `lrelu(gamma (x - mean) / sqrt(var + eps) + beta)` over all but the last axis.
 *
 * In training it uses the batch's mean and biased variance and updates the running statistics; otherwise
 * it uses the running statistics. It has a gradient in training, and no second derivative.
 *
 * @param x `[..., C]`.
 * @param batches How many batches `x` is along its first axis: each is normalised on its own in training,
 * and updates the running statistics in turn.
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
  const isVec4 = C % 4 === 0, columns = isVec4 ? C / 4 : C, by = variant();
  const own = kernels[by][isVec4 ? "vec4f" : "f32"];
  // Chunks of rows that a batch is divided into.
  const lanes = by === "group" ? LANES : 1, blocks = Math.ceil(columns / COLUMNS);
  const wide = by === "group" ? COLUMNS * blocks : columns;
  const fill = Math.ceil(ENOUGH[by] / batches / wide / lanes);
  const chunks = Math.max(1, Math.min(Math.ceil(rows / lanes / LEAST_ROWS), fill, 1024));
  const grid: Grid = by === "group"
    ? [blocks, chunks, batches]
    : folded(Math.ceil(chunks * columns / 64), batches);
  const params = { batches, rows, C: columns, chunks, eps, momentum, k };
  const dispatch = (kernel: Runnable, bound: Bound) => run(kernel, bound, params, grid);
  const stats = empty([batches, 5, C]);
  const running = { running_mean, running_var };
  return apply({
    op: "batchNorm",
    inputs: [x, gamma, beta],
    shape: x.shape,
    forward: (result) => {
      if (!training) {
        return dispatch(own.normalise_by_running, { x, result, ...running, gamma, beta });
      }
      const sums = empty([batches, chunks, 2, C]);
      const first = batches > 1 ? x : part(x.storage, 0, 4 * C);
      dispatch(own.moments, { x, first, sums, stats });
      dispatch(own.normalise, { x, result, stats, gamma, beta, ...running, partial: sums });
    },
    ...(training && {
      backward: (dy: Tensor) => {
        const sums = empty([batches, chunks, 2, C]);
        dispatch(own.gradient_sums, { x, dy, stats, sums });
        // Fused gradients have no backward rule of their own.
        const of = (shape: Shape, forward: (y: Tensor) => void) =>
          apply({ op: "batchNorm's gradient", inputs: [x, dy], shape, forward });
        const [dgamma, dbeta] = [0, 1].map(() => of([C], () => {})); // dx brings both
        const dx = of(
          x.shape,
          (result) =>
            dispatch(own.gradient, { x, dy, result, partial: sums, stats, dgamma, dbeta }),
        );
        return [dx, dgamma, dbeta];
      },
    }),
  });
}
