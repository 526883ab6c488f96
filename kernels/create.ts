/** Creates tensors. */
import { type Shape, type Tensor, tensor } from "../tensor/tensor.ts";
import { full } from "./elementwise.ts";
import { normal, type RandomKey } from "./random.ts";

/** A tensor of zeros. */
export function zeros(shape: Shape): Tensor {
  return full(shape, 0);
}

/** A tensor of ones. */
export function ones(shape: Shape): Tensor {
  return full(shape, 1);
}

/**
 * Numbers of mean 0 and variance 1, normally distributed.
 *
 * There is no hidden state: the same key gives the same numbers, so give each draw a `counter` of its
 * own.
 */
export function randn(
  shape: Shape,
  { seed, stream = 0, counter = 0 }: Pick<RandomKey, "seed"> & Partial<RandomKey>,
): Tensor {
  return normal(shape, { seed, stream, counter });
}

/**
 * `start, start + step, ...` up to, but without, `end`, as a row.
 *
 * @throws {RangeError} If there is no such number.
 */
export function arange(start: number, end: number, step = 1): Tensor {
  const count = Math.ceil((end - start) / step);
  if (!(count > 0 && count < Infinity)) {
    throw new RangeError(
      `arange: got ${start}, ${end} and step ${step}, expected a number or more`,
    );
  }
  return tensor(Float32Array.from({ length: count }, (_, i) => start + i * step), [count]);
}
