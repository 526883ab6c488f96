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
  return (shape) => drawn(shape, () => mean + std * random.normal());
}

/** From U(-1, 1) / sqrt(fanIn): what PyTorch's Linear and Conv2d start from. */
export function uniformInit(random: HostRandom): Init {
  return (shape, fanIn) => drawn(shape, () => (2 * random.uniform() - 1) / Math.sqrt(fanIn));
}

/**
 * From U(-1, 1) sqrt(6 / (fan-in + fan-out)), for convolutions and products.
 *
 * @see Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
 */
export function xavierInit(random: HostRandom): Init {
  return (shape, fanIn) => {
    const taps = shape.length === 4 ? shape[0] * shape[1] : 1;
    const limit = Math.sqrt(6 / (fanIn + taps * sizeOf(shape) / fanIn));
    return drawn(shape, () => limit * (2 * random.uniform() - 1));
  };
}

/** Twice as fast as `Float32Array.from`. */
function drawn(shape: Shape, next: () => number): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

/** One value everywhere. */
export function constantInit(value: number): Init {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** A tensor to be trained. */
export function parameter(shape: Shape, init: Init, fanIn = 1): Tensor {
  return tensor(init(shape, fanIn), shape, true);
}
