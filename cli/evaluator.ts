/**
 * What `gan eval` and a run's own evaluations measure: images of a data set, or of a generator.
 *
 * @module
 */
import type { Dataset } from "../data/pack.ts";
import { imageChannels, toRgb } from "../data/image.ts";
import { cachedFeatures } from "../eval/files/cache.ts";
import { conventionsOf } from "../eval/conventions.ts";
import { type Feature, featuresOf, type PixelSet, statisticsOf } from "../eval/extract.ts";
import type { Asked, Metric, Result } from "../eval/metrics/metric.ts";
import { labelOf, metricOf, METRICS } from "../eval/metrics/registry.ts";
import type { Features } from "../eval/products.ts";
import { halvesOf, type RealImages, statisticsAndFloor } from "../eval/real.ts";
import { loadNetwork } from "../eval/files/network.ts";
import type { LoadedNetwork } from "../eval/files/weights.ts";
import { trim } from "../gpu/record.ts";
import type { Module } from "../nn/module.ts";
import type { Evaluator } from "../run/evaluator.ts";
import type { TrainOptions } from "../train/options.ts";
import { duration } from "../train/duration.ts";
import { type Progress, Rate } from "../run/progress.ts";
import { perClass, spread } from "../train/classes.ts";
import { samples } from "../train/sampling.ts";
import { UsageError } from "./errors.ts";
import { choose } from "./options.ts";

/** How a generator's numbers become bytes, as in the PNGs that `gan sample` writes. */
export const ROUNDING = "to the nearest byte, halves up";

const REAL = 5; // real images for each generated one, at most: their noise counts for little then
const TELL_MS = 30_000;

/**
 * The images that a generator makes from the latents of a seed.
 *
 * @param perClass How many real images are of each class: a generator that is told makes as many shares.
 */
export function generated(
  G: Module,
  options: TrainOptions,
  count: number,
  seed: number,
  perClass?: readonly number[],
): PixelSet {
  const classOf = perClass && spread(count, perClass), C = imageChannels(options);
  const sampling = { ...options, ...classOf && { classOf } };
  return {
    count,
    resolution: options.resolution,
    async *batches(size) {
      for await (const { bytes } of samples(G, { ...sampling, batch: size }, count, seed)) {
        yield toRgb(bytes, C);
      }
    },
  };
}

/** What evaluation makes of images that are not of three channels, as it is said beside numbers. */
export function seenAs({ channels = "rgb" }: { readonly channels?: string }): {
  readonly channels?: string;
} {
  if (channels === "rgb") return {};
  return { channels: channels === "gray" ? "gray as three equal ones" : "rgba laid on white" };
}

/** The same of images that pass by. */
export function inColor(set: PixelSet, channels: string): PixelSet {
  const C = imageChannels({ channels });
  if (C === 3) return set;
  return {
    count: set.count,
    resolution: set.resolution,
    async *batches(size) {
      for await (const bytes of set.batches(size)) yield toRgb(bytes, C);
    },
  };
}

/** The images of a data set in memory, in color; of more than `most` as many, spread evenly. */
export function inMemory(
  { pixels, count, resolution, channels: C = 3 }: Dataset,
  most = count,
): PixelSet {
  const n = Math.min(count, most), stride = resolution ** 2 * C;
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
        yield toRgb(batch, C);
      }
    },
  };
}

/**
 * The metrics in a list such as `fid,kid`.
 *
 * @throws {UsageError} If there is none of a name, or it needs more than a run has.
 */
export function metricsIn(text: string): Metric[] {
  return text.split(",").map((name) => {
    const metric = metricOf(name.trim());
    if (!metric) {
      const names = METRICS.map(({ name }) => name);
      throw new UsageError(`--eval-metrics: there is no metric ${name}${choose(name, names)}`);
    }
    const lacks = metric.needs.includes("heldOut")
      ? "needs images that are held out"
      : metric.of && "looks at faces";
    if (lacks) {
      throw new UsageError(`--eval-metrics: ${name} ${lacks}: measure it with gan eval ${name}`);
    }
    return metric;
  });
}

/** What the numbers of a metric are called in statistics. */
function named(metric: Metric, feature: string, found: Result): Record<string, number> {
  const label = labelOf(metric, feature);
  return Object.fromEntries(
    Object.keys(metric.numbers).filter((name) => name in found)
      .map((name) => [name === "value" ? label : `${label} ${name}`, Number(found[name])]),
  );
}

/**
 * What evaluates a run's generator against the images that it is trained on; the same latents each time.
 *
 * @param cache Folder of what is kept of real images.
 * @returns Undefined where options ask for none.
 * @throws {EvalError} If Inception's weights are missing.
 */
export async function openEvaluator(
  options: TrainOptions,
  dataset: Dataset,
  cache: string,
  progress: Progress,
): Promise<Evaluator | undefined> {
  const { evalEvery, evalMetrics, evalSamples: n, evalFeature, evalWeights, seed } = options;
  if (evalEvery === 0) return undefined;
  const metrics = metricsIn(evalMetrics), feature = evalFeature as Feature;
  const network = await loadNetwork(feature, evalWeights || undefined), { net } = network;
  const set = inMemory(dataset, REAL * n);
  const images = {
    net,
    set,
    key: {
      folder: cache,
      name: dataset.name,
      hash: `${dataset.hash} ${set.count}`,
      feature,
      weights: network.sha256,
    },
    options: { onProgress: progressOf(progress) },
  };
  const asked = {
    like: conventionsOf("pytorch-fid"),
    names: { real: dataset.name, fake: "fakes" },
  };
  // Where statistics are enough, features are not kept in memory.
  const plain = metrics.every(({ ofStatistics }) => ofStatistics);
  const { floors, measure } = plain
    ? await byStatistics(metrics, images, n, asked)
    : await byFeatures(metrics, images, n, asked, network.logits);
  const { channels } = seenAs(options);
  if (channels) progress.say(`Evaluations see ${channels}`);
  const [first] = metrics, [number, better] = Object.entries(first.numbers)[0];
  for (const metric of metrics) {
    for (const [name, floor] of Object.entries(named(metric, feature, floors.get(metric) ?? {}))) {
      progress.say(
        `${name} of ${n} real images to ${n} others: ${floor.toPrecision(4)}; a perfect ` +
          "generator would get as much",
      );
    }
  }
  // Inception's maps are large: training, which goes on, would not use their memory.
  trim();
  return {
    name: Object.keys(named(first, feature, { [number]: 0 }))[0],
    better: better === "more" ? "more" : "less",
    every: Math.round(1000 * evalEvery),
    values: async (G) => {
      const found = await measure(generated(G, options, n, seed, perClass(dataset)));
      trim();
      const all = metrics.map((metric) => named(metric, feature, found.get(metric)!));
      return Object.assign({}, ...all);
    },
  };
}

/** Numbers by metric, and what real images get. */
interface Measuring {
  readonly floors: ReadonlyMap<Metric, Result>;
  readonly measure: (fakes: PixelSet) => Promise<ReadonlyMap<Metric, Result>>;
}

async function byStatistics(
  metrics: readonly Metric[],
  images: RealImages,
  n: number,
  asked: Asked,
): Promise<Measuring> {
  const { statistics, floor } = await statisticsAndFloor(images, n);
  return {
    floors: new Map(floor === undefined ? [] : metrics.map((metric) => [metric, { value: floor }])),
    measure: async (fakes) => {
      const made = await statisticsOf(images.net, fakes);
      return new Map(metrics.map((one) => [one, one.ofStatistics!(statistics, made, asked)]));
    },
  };
}

async function byFeatures(
  metrics: readonly Metric[],
  { net, set, key, options }: RealImages,
  n: number,
  asked: Asked,
  logits: LoadedNetwork["logits"],
): Promise<Measuring> {
  const unfit = metrics.find(({ input }) => input === "logits" && !logits);
  if (unfit) {
    throw new UsageError(
      `--eval-metrics: ${unfit.name} needs Inception's logits: take --eval-feature 2048 and the ` +
        "whole file",
    );
  }
  const real = await cachedFeatures(key, () => featuresOf(net, set, options));
  const measureAll = async (chosen: readonly Metric[], real: Features, fake: Features) => {
    const found = new Map<Metric, Result>();
    for (const metric of chosen) {
      const seen = metric.input === "logits" ? await logits!(fake) : fake;
      found.set(metric, await metric.measure({ real, fake: seen }, asked));
    }
    return found;
  };
  const halves = halvesOf(real, n), floored = metrics.filter(({ floor }) => floor);
  return {
    floors: halves ? await measureAll(floored, ...halves) : new Map(),
    measure: async (fakes) => await measureAll(metrics, real, await featuresOf(net, fakes)),
  };
}

/** Tells now and then how far the real images are. */
function progressOf(progress: Progress): (done: number, total: number) => void {
  const rate = new Rate();
  let told = performance.now();
  return (done, total) => {
    const now = performance.now(), speed = rate.read(done, now / 1000);
    if (now - told < TELL_MS || speed === undefined) return;
    told = now;
    const left = duration((total - done) / speed);
    progress.say(`Features of the real images: ${done} of ${total}, ${left} left`);
  };
}
