/**
 * Images to features: streamed through the network in batches, the next being decoded meanwhile.
 *
 * @module
 */
import type { Rectangle } from "../data/crop.ts";
import type { Image } from "../data/image.ts";
import { compileAhead } from "../gpu/ahead.ts";
import { deviceInfo } from "../gpu/device.ts";
import { release } from "../gpu/memory.ts";
import { readLater } from "../gpu/read.ts";
import type { Feature as InceptionFeature } from "../models/inception.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { cutOut, type Group, grouped, type Stage, toInput } from "./input.ts";
import { NumpyRandom } from "./numpy_random.ts";
import type { Features } from "./products.ts";
import { Moments, type Statistics } from "./statistics.ts";

/** Images of one size. */
export interface PixelSet {
  /** How many there will be; a few less if some are broken. */
  readonly count: number;
  /** Side R in pixels. */
  readonly resolution: number;
  /** All of them, about `size` at a time: `[n, R, R, 3]`. */
  batches(size: number): AsyncIterable<Uint8Array>;
}

/** Images that enter the network each from its own size. */
export interface ImageSet {
  /** How many there will be; a few less if some are broken. */
  readonly count: number;
  /** All of them, decoded one after another. */
  images(): AsyncIterable<Image>;
}

/** What is taken as features: a place in Inception, or what tells faces apart. */
export type Feature = InceptionFeature | "face";

/** A network that computes features. */
export interface Extractor {
  /** Pixels along a side of what it looks at. */
  readonly side: number;
  /** `[N, side, side, 3]` in [-1, 1] to `[N, d]`. */
  forward(x: Tensor): Tensor;
}

/** How to work. */
export interface ExtractOptions {
  /** Images per pass; by default as many as the device likes. */
  readonly batch?: number;
  /** How images become the network's input; bilinear by default. */
  readonly stage?: Stage;
  /** The part of each image that is looked at; by default all. */
  readonly part?: Rectangle | undefined;
  /** Told how many images are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Bytes of the network's largest map per image: 147 x 147 pixels of 64 channels. */
const LARGEST = 147 * 147 * 64 * 4;

/** Images per pass that keep a device busy and fit it. */
function batchSize(): number {
  const { software, limits } = deviceInfo();
  const most = Math.floor(limits.maxStorageBufferBindingSize / LARGEST);
  return Math.max(1, Math.min(software ? 16 : 64, most));
}

/** The images of a set, at most `batch` at a time. */
async function* batches(set: PixelSet | ImageSet, batch: number): AsyncGenerator<Group[]> {
  if ("images" in set) {
    let images: Image[] = [];
    for await (const image of set.images()) {
      if (images.push(image) < batch) continue;
      yield grouped(images);
      images = [];
    }
    if (images.length) yield grouped(images);
    return;
  }
  const R = set.resolution, size = R * R * 3;
  for await (const bytes of set.batches(batch)) {
    // A source may give more at a time than was asked for.
    for (let at = 0; at < bytes.length; at += batch * size) {
      const rgb = bytes.slice(at, at + batch * size);
      yield [{ count: rgb.length / size, width: R, height: R, rgb }];
    }
  }
}

/**
 * The features of images in their order, a batch at a time.
 *
 * The device works on one batch while the caller has the one before, and the next is made ready.
 */
export async function* extract(
  net: Extractor,
  set: PixelSet | ImageSet,
  { batch = batchSize(), stage = "bilinear", part, onProgress }: ExtractOptions = {},
): AsyncGenerator<Features> {
  const waiting: (() => Promise<Features>)[] = [];
  let done = 0, isFirst = true;
  const next = async () => {
    const features = await waiting.shift()!();
    onProgress?.(done += features.count, set.count);
    return features;
  };
  for await (const whole of batches(set, batch)) {
    const groups = part ? whole.map((group) => cutOut(group, part)) : whole;
    const pass = () => scoped(() => net.forward(noGrad(() => toInput(groups, stage, net.side))));
    if (isFirst) await compileAhead(() => void scoped(() => void pass()));
    isFirst = false;
    const y = pass(), [count, dimension] = y.shape, copied = readLater(y.storage, 4 * y.size);
    release(y.storage); // whoever gets it next writes to it after the copy
    waiting.push(async () => ({ count, dimension, values: new Float32Array(await copied()) }));
    if (waiting.length > 1) yield await next();
  }
  while (waiting.length) yield await next();
}

/**
 * Mean and covariance of the features of a set.
 *
 * @throws {RangeError} If there are fewer than two images.
 */
export async function statisticsOf(
  net: Extractor,
  set: PixelSet | ImageSet,
  options?: ExtractOptions,
): Promise<Statistics> {
  return (await statisticsAndHalves(net, set, 0, options)).statistics;
}

/**
 * The same, and in the same pass the statistics of two disjoint random subsets of `size` images: their
 * distance is what a perfect generator of as many images would get.
 *
 * @throws {RangeError} If there are fewer than two images, or fewer than twice `size`.
 */
export async function statisticsAndHalves(
  net: Extractor,
  set: PixelSet | ImageSet,
  size: number,
  options?: ExtractOptions,
): Promise<{ statistics: Statistics; halves: [Statistics, Statistics] | undefined }> {
  if (2 * size > set.count) {
    throw new RangeError(`halves: got ${set.count} images, expected at least ${2 * size}`);
  }
  const half = new Uint8Array(set.count).fill(2), order = new NumpyRandom(0).permutation(set.count);
  for (let i = 0; i < 2 * size; i++) half[order[i]] = i < size ? 0 : 1;
  let all: Moments | undefined, halves: [Moments, Moments] | undefined, at = 0;
  for await (const { count, dimension: d, values } of extract(net, set, options)) {
    all ??= new Moments(d);
    all.add(values);
    if (size === 0) continue;
    halves ??= [new Moments(d), new Moments(d)];
    for (let i = 0; i < count; i++) halves[half[at++]]?.add(values.subarray(i * d, (i + 1) * d));
  }
  return {
    statistics: (all ?? new Moments(0)).statistics(),
    halves: halves && [halves[0].statistics(), halves[1].statistics()],
  };
}

/** The features of every image of a set. */
export async function featuresOf(
  net: Extractor,
  set: PixelSet | ImageSet,
  options?: ExtractOptions,
): Promise<Features> {
  let all: Float32Array | undefined, d = 0, filled = 0;
  for await (const { dimension, values } of extract(net, set, options)) {
    d = dimension;
    all ??= new Float32Array(set.count * d);
    all.set(values, filled);
    filled += values.length;
  }
  if (!all) throw new RangeError("features: got no images");
  return { count: filled / d, dimension: d, values: all.subarray(0, filled) };
}
