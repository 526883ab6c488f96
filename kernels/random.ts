/**
 * Random numbers, made on the device from a counter: the same key gives the same numbers.
 *
 * @module
 */
import wgsl from "./random.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { folded, run } from "../gpu/record.ts";
import { empty, type Shape, type Tensor } from "../tensor/tensor.ts";

const uniformKernel = kernel("random", wgsl, "uniform_");
const normalKernel = kernel("random", wgsl, "normal");

/** What a draw is a function of. Seed and counter are whole numbers below 2^53. */
export interface RandomKey {
  readonly seed: number;
  /** Keeps draws for different ends apart. */
  readonly stream: number;
  /** Images shown, say. */
  readonly counter: number;
}

/** Uniform in [0, 1), with 24 bits. */
export function uniform(shape: Shape, key: RandomKey): Tensor {
  return draw(uniformKernel, shape, key);
}

/** From N(0, 1). */
export function normal(shape: Shape, key: RandomKey): Tensor {
  return draw(normalKernel, shape, key);
}

function draw(k: Kernel, shape: Shape, { seed, stream, counter }: RandomKey): Tensor {
  const y = empty(shape), n4 = Math.ceil(y.size / 4), high = (n: number) => Math.floor(n / 2 ** 32);
  run(k, { y }, {
    n4,
    seed_low: seed >>> 0,
    seed_high: high(seed),
    stream,
    counter_low: counter >>> 0,
    counter_high: high(counter),
  }, folded(Math.ceil(n4 / 64)));
  return y;
}
