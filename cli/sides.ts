/** What `gan eval` compares: what a generator makes, and images in files. */
import { join } from "@std/path";
import { openPath } from "../data/open.ts";
import { openDataset } from "../data/dataset.ts";
import type { Channels } from "../data/image.ts";
import type { Resize } from "../data/resample.ts";
import { openStream } from "../data/stream.ts";
import { type Conventions, shortName } from "../eval/conventions.ts";
import { EvalError } from "../eval/errors.ts";
import type { ImageSet, PixelSet } from "../eval/extract.ts";
import { openImageFiles } from "../eval/files/image_files.ts";
import { loadStatistics } from "../eval/files/npz.ts";
import type { Statistics } from "../eval/statistics.ts";
import { newSurvey, type Survey, surveyOf } from "../eval/survey.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { findCheckpoint, findRun } from "../run/run_folder.ts";
import { loadGenerator } from "../train/state.ts";
import { UsageError } from "./errors.ts";
import { generated, inColor, inMemory, ROUNDING, seenAs } from "./evaluator.ts";
import type { Values } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { optionsOf } from "./run_options.ts";

/** One side of a comparison: images, or the statistics of images. */
export interface Side {
  /** What is said of it beside the number. */
  readonly about: Record<string, unknown>;
  readonly name: string;
  /** Of content and preparation; absent where nothing is to be kept. */
  readonly hash?: string;
  readonly set?: PixelSet | ImageSet;
  readonly statistics?: Statistics;
  /** What the images are like, once they were read. */
  readonly survey?: Survey;
  /** What is to be said of the choice of files. */
  readonly notes?: readonly string[];
  /** Images that were passed over. */
  readonly broken?: { name: string; reason: string }[];
  readonly close?: () => Promise<void>;
}

/** Where what is kept of real images lies. */
export function cacheFolder(values: Values): string {
  return join(String(values.out ?? "runs"), ".cache");
}

/** A generator that is evaluated: a checkpoint, with the options of its run. */
export interface EvaluatedGenerator {
  readonly options: TrainOptions;
  readonly checkpoint: string;
  readonly run?: string;
}

/** The run or the checkpoint that is evaluated; undefined where it is files of images. */
export async function evaluatedIn(values: Values): Promise<EvaluatedGenerator | undefined> {
  const { fake } = values;
  if (fake === undefined) {
    const run = await runOf(values);
    const checkpoint = await findCheckpoint(run, values.checkpoint as string | undefined);
    return { options: await optionsOf(run), checkpoint, run };
  }
  if (!String(fake).endsWith(".safetensors")) return undefined;
  const { metadata } = await loadSafetensors(String(fake));
  if (!metadata.options) {
    throw new EvalError(`eval: ${fake} is no checkpoint of a run: its metadata lack the options`);
  }
  return { options: { ...defaults, ...JSON.parse(metadata.options) }, checkpoint: String(fake) };
}

function runOf(values: Values): Promise<string> {
  return findRun(String(values.out ?? "runs"), String(values.run ?? "latest"));
}

/** How files are prepared: as asked for, else as the run's, if one is named. */
async function prepared(values: Values, options?: TrainOptions): Promise<Values> {
  options ??= values.run === undefined ? undefined : await optionsOf(await runOf(values));
  if (!options) return values;
  const { resolution, crop, resize, channels } = options;
  return { resolution, crop, resize, channels, ...values };
}

/** What it makes. */
export async function openGenerator(
  values: Values,
  { options, checkpoint, run }: EvaluatedGenerator,
): Promise<Side> {
  const { G, images, data } = await loadGenerator(recipeOf(options.recipe), options, checkpoint);
  const seed = Number(values.seed ?? 0), count = Number(values.samples ?? 10_000);
  const { resolution } = options;
  return {
    about: {
      ...(run && { run }),
      ...{ checkpoint, images, seed, resolution, ...seenAs(options), rounding: ROUNDING },
    },
    name: run ?? checkpoint,
    set: generated(G, options, count, seed, data?.perClass),
    survey: surveyOf(count, resolution),
  };
}

/** The real images: as named, else those that the run was trained on; prepared as those were. */
export async function openReal(
  values: Values,
  options: TrainOptions | undefined,
  like: Conventions,
): Promise<Side> {
  if (!options && values.run !== undefined) options = await optionsOf(await runOf(values));
  const path = values.real ?? options?.data;
  if (path === undefined) throw new UsageError("--real FOLDER: name the real images");
  if (path) {
    const how = await prepared(values, options);
    // Classes are those of the run's own images.
    const classes = values.real === undefined && options?.classes;
    const part = classes ? { ...how, classes } : how;
    return await openFiles(String(path), part, values.realSamples, like);
  }
  // The built-in images are no folder of the user's.
  const { resolution, crop, resize, channels, classes } = options!, cache = cacheFolder(values);
  const how = { resolution, crop, resize: resize as Resize, channels: channels as Channels };
  const dataset = await openDataset({ ...how, ...classes && { classes }, cache });
  const set = inMemory(dataset, Number(values.realSamples ?? dataset.count));
  return {
    about: {
      ...{ dataset: dataset.name, resolution, crop, resize, ...seenAs({ channels }) },
      hash: dataset.hash,
    },
    name: dataset.name,
    hash: `${dataset.hash} ${set.count}`,
    set,
    survey: surveyOf(set.count, resolution),
  };
}

/** Real images that were not trained on, prepared as the real ones; undefined where none are named. */
export async function openHeldOut(
  values: Values,
  options: TrainOptions | undefined,
  like: Conventions,
): Promise<Side | undefined> {
  if (values.heldOut === undefined) return undefined;
  return await openFiles(String(values.heldOut), await prepared(values, options), undefined, like);
}

/**
 * Files to evaluate: as large as the run's images, if one is named, but not cropped as those were; as a
 * tool reads them, if one is named.
 */
export async function openFakes(values: Values, like: Conventions): Promise<Side> {
  const own = values.run === undefined || values.like !== undefined;
  const how = own ? values : await prepared(values),
    crop = values.fakeCrop ?? (own ? "none" : "center");
  return await openFiles(String(values.fake), { ...how, crop }, values.samples, like);
}

async function openStatistics(path: string, like: Conventions): Promise<Side> {
  const { statistics, about } = await loadStatistics(path), { survey, stage, ...rest } = about;
  if (stage !== undefined && stage !== like.stage) {
    throw new EvalError(
      `eval: the images of ${path} were resized in another way (${stage}) than ` +
        `${shortName(like)} does (${like.stage}): give the --like with which it was saved`,
    );
  }
  const known = survey !== null && typeof survey === "object";
  return {
    about: { statistics: path, ...rest },
    name: path,
    statistics,
    ...(known && { survey: { ...newSurvey(), ...survey } }),
  };
}

/** Opens files: as they are, or made squares of one size first, as for training. */
async function openFiles(
  path: string,
  values: Values,
  most: Values[string] | undefined,
  like: Conventions,
): Promise<Side> {
  if (path.endsWith(".pkl")) {
    throw new UsageError(
      `${path} is a Python pickle, as StyleGAN's and EDM's tools write; in Python, save mean and ` +
        `covariance by numpy.savez(FILE, mu=mean, sigma=cov) and give that .npz (StyleGAN3 divides its ` +
        `covariance by N, other tools by N - 1: multiply it by N / (N - 1))`,
    );
  }
  if (path.endsWith(".npz")) {
    try {
      return await openStatistics(path, like);
    } catch (error) {
      const isStack = await openPath(path).then((source) => source.close()).then(() => true)
        .catch(() => false);
      if (!isStack) throw error;
    }
  }
  const crop = String(values.crop ?? "none"), resize = String(values.resize ?? "area");
  if (values.resolution === undefined) {
    if (values.resize !== undefined) {
      throw new UsageError("--resize needs --resolution N: without it images keep their own size");
    }
    const files = await openImageFiles({
      path,
      crop,
      most: most === undefined ? undefined : Number(most),
      tool: shortName(like),
      rule: like.files,
      strict: values.like !== undefined,
    });
    return { about: { dataset: path, crop }, set: files, ...files };
  }
  const resolution = Number(values.resolution), channels = String(values.channels ?? "rgb");
  const stream = await openStream({
    data: path,
    crop,
    resize: resize as Resize,
    channels: channels as Channels,
    cache: cacheFolder(values),
    resolution,
    ...(most !== undefined && { most: Number(most) }),
    ...(values.classes !== undefined && { classes: String(values.classes) }),
  });
  const { name, hash, broken, count } = stream;
  return {
    about: { dataset: path, resolution, crop, resize, ...seenAs({ channels }), hash },
    name,
    hash,
    set: inColor(stream, channels),
    survey: surveyOf(count, resolution),
    broken,
    close: () => stream.close(),
  };
}
