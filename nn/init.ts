/**
 * Initial values. PyTorch's names and defaults.
 *
 * @module
 */
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import type { HostRandom } from "./random.ts";

/** Makes the values of a parameter. `fanIn` is the number of inputs that one output sums over. */
export type Init = (shape: Shape, fanIn: number) => Float32Array;

/** From N(mean, std^2). */
export function normalInit(random: HostRandom, std: number, mean = 0): Init {
  return (shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => mean + std * random.normal());
}

/** From U(-1, 1) / sqrt(fanIn): what PyTorch's Linear and Conv2d start from. */
export function uniformInit(random: HostRandom): Init {
  return (shape, fanIn) =>
    Float32Array.from(
      { length: sizeOf(shape) },
      () => (2 * random.uniform() - 1) / Math.sqrt(fanIn),
    );
}

/** One value everywhere. */
export function constantInit(value: number): Init {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** A tensor to be trained. */
export function parameter(shape: Shape, init: Init, fanIn = 1): Tensor {
  return tensor(init(shape, fanIn), shape, true);
}
