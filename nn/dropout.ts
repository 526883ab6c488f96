import { affine, mul, relu, scale, sign } from "../kernels/elementwise.ts";
import { uniform } from "../kernels/random.ts";
import { noGrad } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Context } from "./context.ts";
import { Module } from "./module.ts";

/**
 * In training, sets each element to 0 with a given probability and enlarges the others to make up for
 * it.
 *
 * @see Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export class Dropout extends Module {
  /** `rate` is the probability, below 1. */
  constructor(readonly rate: number) {
    super();
  }

  /**
   * Of any shape, and the same.
   *
   * @throws {Error} If it is training and the context has no random numbers.
   */
  override forward(x: Tensor, { training, random }: Context): Tensor {
    if (!training || this.rate === 0) return x;
    if (!random) throw new Error("Dropout: context.random is missing, expected RandomStreams");
    const key = random.next(this);
    const kept = noGrad(() => {
      const u = uniform(x.shape, key);
      // 1 where u is above the rate, which it equals with probability 2^-24.
      return scale(sign(relu(affine(u, 1, -this.rate))), 1 / (1 - this.rate));
    });
    return mul(x, kept);
  }
}
