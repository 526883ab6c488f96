/**
 * Random numbers made on the device. The same key gives the same numbers, on any device (normal ones
 * to rounding); a longer draw begins with the shorter one.
 *
 * @module
 */
import wgsl from "./random.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { folded, type Live, now } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { empty, type Shape, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { expand } from "../gpu/wgsl.ts";
import { slice } from "./slice.ts";
import { EXACT, EXACT_FOR } from "./exact.ts";

const source = expand({ name: "random.wgsl", text: wgsl }, EXACT_FOR.vec2f, EXACT);
const uniformKernel = kernel("random", source, "uniform_");
const normalKernel = kernel("random", source, "normal");

/** What a draw depends on, besides its shape. */
export interface RandomKey {
  /** Of the run: an integer below 2^53. */
  readonly seed: number;
  /** What the numbers are for: a 32-bit unsigned integer. */
  readonly stream: number;
  /** Which draw of the stream, e.g. the number of images shown: an integer below 2^53. */
  readonly counter: Live<number>;
}

/**
 * Numbers in [0, 1), all multiples of 2^-24 equally likely.
 *
 * @throws {RangeError} If the key is not made of such integers.
 */
export function uniform(shape: Shape, key: RandomKey): Tensor {
  return draw(uniformKernel, shape, shape, key);
}

/**
 * Numbers of mean 0 and variance 1, normally distributed, up to 5.8 in size.
 *
 * @throws {RangeError} If the key is not made of such integers.
 * @see Box and Muller 1958, https://doi.org/10.1214/aoms/1177706645
 */
export function normal(shape: Shape, key: RandomKey): Tensor {
  return draw(normalKernel, shape, shape, key);
}

/**
 * Rows `[n, cols]` of normal numbers. Row `i` is the draw `normal([cols], key)` of the counter plus
 * `i`, so that it does not depend on how many rows are drawn at once.
 *
 * @throws {RangeError} As {@linkcode normal}.
 */
export function normalRows(n: number, cols: number, key: RandomKey): Tensor {
  const whole = 4 * Math.ceil(cols / 4), numbers = draw(normalKernel, [n, whole], [whole], key);
  return whole === cols ? numbers : slice(numbers, 1, 0, cols);
}

/** Numbers of a shape; each `part` of it is a draw of its own. */
function draw(k: Kernel, shape: Shape, part: Shape, { seed, stream, counter }: RandomKey): Tensor {
  for (const [name, value] of Object.entries({ seed, counter: now(counter) })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`random: got ${name} ${value}, expected an integer below 2^53`);
    }
  }
  if (stream >>> 0 !== stream) {
    throw new RangeError(`random: got stream ${stream}, expected an integer below 2^32`);
  }
  const numbers = empty(shape), n4 = Math.ceil(numbers.size / 4);
  const [seed_low, seed_high] = halves(seed);
  const half = (i: 0 | 1) =>
    typeof counter === "function" ? () => halves(counter())[i] : halves(counter)[i];
  const counters = { counter_low: half(0), counter_high: half(1) };
  const draw4 = Math.ceil(sizeOf(part) / 4), keyed = { seed_low, seed_high, stream, ...counters };
  run(k, { numbers }, { n4, draw4, ...keyed }, folded(Math.ceil(n4 / 64)));
  return numbers;
}

/** The lower and the upper 32 bits. */
function halves(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32)];
}
