/**
 * Pictures to features: streamed through the net in batches, the next being decoded meanwhile.
 *
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";
import { release } from "../gpu/memory.ts";
import { fromBytes } from "../kernels/bytes.ts";
import type { Inception } from "../models/inception.ts";
import { scoped } from "../tensor/tensor.ts";
import type { Features } from "./products.ts";
import { Moments, type Statistics } from "./statistics.ts";

/** Pictures to look at. */
export interface PictureSet {
  /** How many there will be; a few less if some are broken. */
  readonly count: number;
  /** Side R in pixels. */
  readonly resolution: number;
  /** All of them, about `size` at a time: `[n, R, R, 3]`. */
  batches(size: number): AsyncIterable<Uint8Array>;
}

/** How to work. */
export interface ExtractOptions {
  /** Pictures a pass; by default as many as the device likes. */
  readonly batch?: number;
  /** Told how many pictures are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Bytes of the net's largest map a picture: 147 x 147 pixels of 64 channels. */
const LARGEST = 147 * 147 * 64 * 4;

/** Pictures a pass that keep a device busy and fit it. */
function batchSize(): number {
  const { software, limits } = deviceInfo();
  const most = Math.floor(limits.maxStorageBufferBindingSize / LARGEST);
  return Math.max(1, Math.min(software ? 16 : 64, most));
}

/**
 * The features of pictures in their order, a batch at a time.
 *
 * The device works on one batch while the caller has the one before, and the next is made ready.
 */
export async function* extract(
  net: Inception,
  set: PictureSet,
  { batch = batchSize(), onProgress }: ExtractOptions = {},
): AsyncGenerator<Features> {
  const R = set.resolution, waiting: Promise<Features>[] = [];
  let done = 0;
  const next = async () => {
    const features = await waiting.shift()!;
    onProgress?.(done += features.count, set.count);
    return features;
  };
  for await (const bytes of set.batches(batch)) {
    // A source may give more at a time than was asked for.
    for (let at = 0; at < bytes.length; at += batch * R * R * 3) {
      const part = bytes.slice(at, at + batch * R * R * 3), count = part.length / (R * R * 3);
      const y = scoped(() => net.forward(fromBytes(part, [count, R, R, 3])));
      const features = y.read().then((values) => ({ count, dimension: y.shape[1], values }));
      features.catch(() => {}); // it is thrown when its turn comes
      release(y.storage); // whoever gets it next writes to it after the copy
      waiting.push(features);
      if (waiting.length > 1) yield await next();
    }
  }
  while (waiting.length) yield await next();
}

/**
 * Mean and covariance of the features of a set.
 *
 * @throws {RangeError} If there are less than two pictures.
 */
export async function statisticsOf(
  net: Inception,
  set: PictureSet,
  options?: ExtractOptions,
): Promise<Statistics> {
  let moments: Moments | undefined;
  for await (const { dimension, values } of extract(net, set, options)) {
    moments ??= new Moments(dimension);
    moments.add(values);
  }
  return (moments ?? new Moments(0)).statistics();
}

/** The features of every picture of a set. */
export async function featuresOf(
  net: Inception,
  set: PictureSet,
  options?: ExtractOptions,
): Promise<Features> {
  let all: Float32Array | undefined, d = 0, filled = 0;
  for await (const { dimension, values } of extract(net, set, options)) {
    d = dimension;
    all ??= new Float32Array(set.count * d);
    all.set(values, filled);
    filled += values.length;
  }
  if (!all) throw new RangeError("features: got no pictures");
  return { count: filled / d, dimension: d, values: all.subarray(0, filled) };
}
