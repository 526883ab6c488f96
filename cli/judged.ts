/**
 * What `gan eval` and a run's own evaluations judge: pictures of a data set, or of a generator.
 *
 * @module
 */
import type { Pictures } from "../data/pack.ts";
import { type PictureSet, statisticsOf } from "../eval/extract.ts";
import { frechetDistance } from "../eval/frechet.ts";
import { statisticsAndFloor } from "../eval/real.ts";
import { loadInception } from "../eval/weights.ts";
import { trim } from "../gpu/record.ts";
import type { Feature } from "../models/inception.ts";
import type { Module } from "../nn/module.ts";
import type { Judge } from "../train/judge.ts";
import type { TrainOptions } from "../train/options.ts";
import { duration, type Progress, Rate } from "../train/progress.ts";
import { samples } from "../train/sampling.ts";

/** How a generator's numbers become bytes, as in the PNGs that `gan sample` writes. */
export const ROUNDING = "to the nearest byte, halves up";

const REAL = 5; // real pictures for each generated one, at most: their noise counts for little then
const TELL_MS = 30_000;

/** Only the distance of 2048-dimensional features is FID. */
export function fidName(feature: string): string {
  return feature === "2048" ? "FID" : `FID-${feature}`;
}

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

/**
 * What judges a run's generator by its Frechet distance to the pictures that it is trained on; the
 * same latents each time.
 *
 * @param cache Folder of what is kept of real pictures.
 * @returns Undefined where options ask for none.
 * @throws {EvalError} If Inception's weights are missing.
 */
export async function openJudge(
  options: TrainOptions,
  pictures: Pictures,
  cache: string,
  progress: Progress,
): Promise<Judge | undefined> {
  const { fidEvery, fidSamples, fidFeature, fidWeights, seed } = options;
  if (fidEvery === 0) return undefined;
  const feature = fidFeature as Feature;
  const { net, sha256 } = await loadInception(feature, fidWeights || undefined);
  const set = inMemory(pictures, REAL * fidSamples), rate = new Rate();
  const key = { folder: cache, name: pictures.name, hash: `${pictures.hash} ${set.count}` };
  let told = performance.now();
  const onProgress = (done: number, total: number) => {
    const now = performance.now(), speed = rate.read(done, now / 1000);
    if (now - told < TELL_MS || speed === undefined) return;
    told = now;
    progress.say(
      `Features of the real pictures: ${done} of ${total}, ${
        duration((total - done) / speed)
      } left`,
    );
  };
  const { statistics: real, floor } = await statisticsAndFloor(
    { key: { ...key, feature, weights: sha256 }, net, set, options: { onProgress } },
    fidSamples,
  );
  if (floor !== undefined) {
    progress.say(
      `${fidName(feature)} of ${fidSamples} real images to ${fidSamples} others: ` +
        `${floor.toPrecision(4)}; a perfect generator would get as much`,
    );
  }
  // Inception's maps are large: training, which goes on, would not use their memory.
  trim();
  return {
    name: fidName(feature),
    every: Math.round(1000 * fidEvery),
    value: async (G) => {
      const made = await statisticsOf(net, generated(G, options, fidSamples, seed));
      trim();
      return frechetDistance(real, made);
    },
  };
}
