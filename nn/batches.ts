/**
 * Several batches in one pass, each seen on its own by what looks across pictures.
 *
 * @module
 */
import { concat, eachOf, split } from "../kernels/slice.ts";
import type { Tensor } from "../tensor/tensor.ts";

let count = 1;

/**
 * What `pass` makes of batches of one size, each as if it had been given alone, one after the other; with
 * fewer and larger products and convolutions.
 */
export function together(pass: (x: Tensor) => Tensor, xs: readonly Tensor[]): Tensor[] {
  const before = count;
  count = xs.length;
  try {
    return split(xs.length, pass(concat(xs, 0)));
  } finally {
    count = before;
  }
}

/** Of how many batches what a layer is given consists. */
export function batches(): number {
  return count;
}

/** What `body` makes of each batch of `x`, joined again. */
export function eachBatch(x: Tensor, body: (x: Tensor) => Tensor): Tensor {
  return eachOf(count, x, body);
}
