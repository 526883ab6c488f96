import { abs, add, affine, exp, neg, sub } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import type { Precision } from "../kernels/precision.ts";
import { broadcastTo, mean, sum } from "../kernels/reduce.ts";
import { concat, eachOf } from "../kernels/slice.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Context, EVALUATION } from "./context.ts";
import { constantInit, type Init, parameter } from "./init.ts";
import { Module } from "./module.ts";

/**
 * T's deviation at the start, times the root of the features. Behind batch norm an image's nearest then
 * count about 0.1 in each `o_b`; the authors scale T by their first batch, to e^-2. With a much smaller
 * T all others count 1, and the `o_b`, near N, drown the features.
 */
const SPREAD = 5;

/**
 * Adds maps that tell how near an image is to the others of its batch: with `f` the mean of its
 * features over the pixels and `M = f T`, a row of `dims` for each kernel `b`,
 * `o_b = sum_{j != i} exp(-|M_ib - M_jb|_1) + bias_b`, the same at each pixel.
 *
 * @see Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 3.2
 */
export class MinibatchDiscrimination extends Module {
  /** `[features, kernels dims]`. */
  readonly T: Tensor;
  /** `[kernels]`; begins at -1, as in the authors' code. */
  readonly bias: Tensor;
  readonly #dims: number;

  /** For maps of `features` channels. `T` begins as `init` draws it, but for its scale. */
  constructor(features: number, kernels: number, dims: number, init: Init) {
    super();
    const scaled: Init = (shape, fanIn) =>
      toDeviation(init(shape, fanIn), SPREAD / features ** 0.5);
    this.T = parameter([features, kernels * dims], scaled, features);
    this.bias = parameter([kernels], constantInit(-1));
    this.#dims = dims;
  }

  /** `[N, H, W, features]` to `[N, H, W, features + kernels]`. */
  override forward(x: Tensor, { batches = 1, precision }: Context = EVALUATION): Tensor {
    return eachOf(batches, x, (x) => this.#ofBatch(x, precision));
  }

  #ofBatch(x: Tensor, precision?: Precision): Tensor {
    const [N, H, W] = x.shape, B = this.bias.size, dims = this.#dims;
    const M = matmul(mean(x, [1, 2]), this.T, { precision });
    const apart = abs(sub(reshape(M, [N, 1, B * dims]), reshape(M, [1, N, B * dims])));
    const near = exp(neg(sum(reshape(apart, [N, N, B, dims]), [3])));
    // An image's nearness to itself is e^0.
    const o = add(affine(sum(near, [1]), 1, -1), this.bias);
    return concat([x, broadcastTo(reshape(o, [N, 1, 1, B]), [N, H, W, B])], 3);
  }
}

function toDeviation(values: Float32Array, deviation: number): Float32Array {
  const now = Math.sqrt(values.reduce((t, v) => t + v * v, 0) / values.length);
  return now > 0 ? values.map((v) => v * deviation / now) : values;
}
