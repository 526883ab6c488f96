import type { Dataset } from "./pack.ts";

/** Which images make up a batch. */
export interface Selection {
  /** Number of each image. */
  indices: Uint32Array;
  /** 1 where the image is mirrored left to right, otherwise 0. */
  mirrored: Uint8Array;
}

const ROUNDS = 8;
const MIRROR = 0x6d697272;

/** The finaliser of MurmurHash3 over a chain of words: each word passes through all that follow. */
function hash(...words: number[]): number {
  let h = 0x9e3779b9;
  for (const word of words) {
    h = Math.imul(h ^ word, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) + 0x9e3779b9 | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function highWord(x: number): number {
  return Math.floor(x / 2 ** 32);
}

/**
 * Where `position` goes in the permutation of 0..count-1 that (seed, epoch) names: a Feistel network
 * over the next even power of two, walked until it lands inside. See Black and Rogaway, Ciphers with
 * arbitrary finite domains, 2002, sections 4 and 5.
 */
function permute(position: number, count: number, seed: number, epoch: number): number {
  const half = Math.max(1, Math.ceil(Math.log2(count) / 2));
  const mask = (1 << half) - 1;
  // The keys of the rounds do not depend on the position, but 8 words are not worth keeping.
  let x = position;
  do {
    let left = x >>> half;
    let right = x & mask;
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = hash(seed, highWord(seed), epoch, highWord(epoch), round, right);
      [left, right] = [right, left ^ (mixed & mask)];
    }
    x = ((left << half) | right) >>> 0;
  } while (x >= count);
  return x;
}

/**
 * The images to show after `images` have been shown. Every epoch is a permutation of its own, in
 * which each image comes exactly once, however the epochs are cut into batches; nothing is kept
 * from call to call, so a resumed run sees what an unbroken one sees.
 *
 * @param options Number of images, seed, and whether half of them (at random) are to be mirrored.
 * @param images Images shown so far.
 * @param size Images in the batch.
 * @returns The batch.
 * @throws {RangeError} If count is not a whole number from 1 to 2^30.
 */
export function batchAt(
  options: { count: number; seed: number; mirror: boolean },
  images: number,
  size: number,
): Selection {
  const { count, seed, mirror } = options;
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 30) {
    throw new RangeError(`sampler: got ${count} images, expected a whole number from 1 to 2^30`);
  }
  const batch = { indices: new Uint32Array(size), mirrored: new Uint8Array(size) };
  for (let i = 0; i < size; i++) {
    const shown = images + i;
    batch.indices[i] = permute(shown % count, count, seed, Math.floor(shown / count));
    if (mirror) {
      batch.mirrored[i] = hash(MIRROR, seed, highWord(seed), shown, highWord(shown)) & 1;
    }
  }
  return batch;
}

/**
 * Copies the pixels of a batch together.
 *
 * @param dataset The data set.
 * @param batch Which images, and which of them mirrored.
 * @returns `[size, R, R, C]`.
 */
export function gather(dataset: Dataset, batch: Selection): Uint8Array<ArrayBuffer> {
  const R = dataset.resolution, C = dataset.channels ?? 3, stride = R * R * C;
  const result = new Uint8Array(batch.indices.length * stride);
  for (let i = 0; i < batch.indices.length; i++) {
    const from = batch.indices[i] * stride;
    const image = dataset.pixels.subarray(from, from + stride);
    const to = i * stride;
    if (!batch.mirrored[i]) {
      result.set(image, to);
      continue;
    }
    for (let row = 0; row < stride; row += R * C) {
      for (let s = row, d = to + row + R * C - C; s < row + R * C; s += C, d -= C) {
        for (let c = 0; c < C; c++) result[d + c] = image[s + c];
      }
    }
  }
  return result;
}

/**
 * The classes of a batch.
 *
 * @param dataset The data set.
 * @param batch Which images.
 * @returns The number of each image's class, `[size]`; undefined if the data set has no classes.
 */
export function classesOf(
  { labels }: Pick<Dataset, "labels">,
  { indices }: Selection,
): Uint16Array | undefined {
  return labels && Uint16Array.from(indices, (i) => labels.of[i]);
}
