import { affine, mul, relu, scale, sign } from "../kernels/elementwise.ts";
import { type RandomKey, uniform } from "../kernels/random.ts";
import { noGrad } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * In training, sets each element to 0 with a given probability and enlarges the others to make up for
 * it.
 *
 * @see Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export class Dropout extends Module {
  #key: RandomKey = { seed: 0, stream: 0, counter: 0 };
  #draws = 0;

  /** `rate` is the probability, below 1. */
  constructor(readonly rate: number) {
    super();
  }

  /**
   * Says which random numbers the next passes take: the first those of `key`, each other those of the
   * stream after.
   */
  begin(key: RandomKey): void {
    this.#key = key;
    this.#draws = 0;
  }

  /** Of any shape, and the same. */
  override forward(x: Tensor, training: boolean): Tensor {
    if (!training || this.rate === 0) return x;
    const stream = this.#key.stream + this.#draws++;
    const kept = noGrad(() => {
      const u = uniform(x.shape, { ...this.#key, stream });
      // 1 where u is above the rate, which it equals with probability 2^-24.
      return scale(sign(relu(affine(u, 1, -this.rate))), 1 / (1 - this.rate));
    });
    return mul(x, kept);
  }
}
