/**
 * What `gan eval` and a run's own evaluations judge: pictures of a data set, or of a generator.
 *
 * @module
 */
import type { Pictures } from "../data/pictures.ts";
import type { PictureSet } from "../eval/extract.ts";
import type { Module } from "../nn/module.ts";
import { samples } from "../train/loop.ts";
import type { TrainOptions } from "../train/options.ts";

/** How a generator's numbers become bytes, as in the PNGs that `gan sample` writes. */
export const ROUNDING = "to the nearest byte, halves up";

/** The pictures that a generator makes from the latents of a seed. */
export function generated(
  G: Module,
  options: TrainOptions,
  count: number,
  seed: number,
): PictureSet {
  return {
    count,
    resolution: options.resolution,
    async *batches(size) {
      for await (const { bytes } of samples(G, { ...options, batch: size }, count, seed)) {
        yield bytes;
      }
    },
  };
}

/** The pictures of a data set in memory; of more than `most` as many, spread evenly. */
export function inMemory({ pixels, count, resolution }: Pictures, most = count): PictureSet {
  const n = Math.min(count, most), stride = resolution ** 2 * 3;
  return {
    count: n,
    resolution,
    async *batches(size) {
      for (let at = 0; at < n; at += size) {
        const batch = new Uint8Array(Math.min(size, n - at) * stride);
        for (let i = 0; i * stride < batch.length; i++) {
          const from = Math.floor((at + i) * count / n) * stride;
          batch.set(pixels.subarray(from, from + stride), i * stride);
        }
        yield batch;
      }
    },
  };
}
