/**
 * Products of features with features, on the device: what kernels and distances are made of.
 *
 * @module
 */
import { bindable, release } from "../gpu/memory.ts";
import { matmul } from "../kernels/matmul.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, tensor } from "../tensor/tensor.ts";

/** Features of images, one after another. */
export interface Features {
  /** Images. */
  readonly count: number;
  /** Numbers per image. */
  readonly dimension: number;
  /** `[count, dimension]`. */
  readonly values: Float32Array;
}

/** All products `a b^T`, `[a.count, b.count]`: for as many rows of `b` at a time as the device can bind. */
export async function products(a: Features, b: Features): Promise<Float32Array> {
  // Rows are padded to eight channels.
  const row = 4 * Math.max(Math.ceil(a.dimension / 8) * 8, a.count);
  const most = Math.max(1, Math.floor(bindable() / row));
  if (b.count <= most) return await block(a, b);
  const all = new Float32Array(a.count * b.count);
  for (let from = 0; from < b.count; from += most) {
    const some = range(b, from, Math.min(b.count, from + most)), values = await block(a, some);
    for (let i = 0; i < a.count; i++) {
      all.set(values.subarray(i * some.count, (i + 1) * some.count), i * b.count + from);
    }
  }
  return all;
}

async function block(a: Features, b: Features): Promise<Float32Array> {
  const d = a.dimension;
  const y = scoped(() =>
    noGrad(() =>
      matmul(tensor(a.values, [a.count, d]), tensor(b.values, [b.count, d]), { b: true })
    )
  );
  const values = y.read();
  release(y.storage);
  return await values;
}

/** The mean of the rows. */
export function meanOf({ count, dimension, values }: Features): Float64Array {
  const mean = new Float64Array(dimension);
  for (let i = 0; i < values.length; i++) mean[i % dimension] += values[i] / count;
  return mean;
}

/** The features less `centre`: the device then rounds small products. */
export function centred(features: Features, centre: Float64Array): Features {
  const d = features.dimension;
  return { ...features, values: features.values.map((x, i) => x - centre[i % d]) };
}

/** Some of the features, by index. */
export function select({ dimension, values }: Features, indices: ArrayLike<number>): Features {
  const chosen = new Float32Array(indices.length * dimension);
  for (let i = 0; i < indices.length; i++) {
    chosen.set(
      values.subarray(indices[i] * dimension, (indices[i] + 1) * dimension),
      i * dimension,
    );
  }
  return { count: indices.length, dimension, values: chosen };
}

/** The features from `start` to before `end`; nothing is copied. */
export function range({ dimension, values }: Features, start: number, end: number): Features {
  return {
    count: end - start,
    dimension,
    values: values.subarray(start * dimension, end * dimension),
  };
}
