/** What `gan eval` compares: what a generator makes, and pictures in files. */
import { join } from "@std/path";
import { openPictures } from "../data/pictures.ts";
import type { Resize } from "../data/resample.ts";
import { openStream } from "../data/stream.ts";
import { EvalError } from "../eval/errors.ts";
import type { PictureSet } from "../eval/extract.ts";
import { loadStatistics } from "../eval/npz.ts";
import type { Statistics } from "../eval/statistics.ts";
import { loadSafetensors } from "../nn/safetensors.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { findCheckpoint, findRun } from "../train/run_folder.ts";
import { loadGenerator } from "../train/state.ts";
import { UsageError } from "./errors.ts";
import { generated, inMemory, ROUNDING } from "./judged.ts";
import type { Values } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { optionsOf } from "./run_options.ts";

/** One side of a comparison: pictures, or the statistics of pictures. */
export interface Side {
  /** What is said of it beside the number. */
  readonly about: Record<string, unknown>;
  readonly name: string;
  /** Of content and preparation; absent where nothing is to be kept. */
  readonly hash?: string;
  readonly set?: PictureSet;
  readonly statistics?: Statistics;
  /** Pictures that were passed over. */
  readonly broken?: { name: string; reason: string }[];
  readonly close?: () => Promise<void>;
}

/** Where what is kept of real pictures lies. */
export function cacheFolder(values: Values): string {
  return join(String(values.out ?? "runs"), ".cache");
}

/** A generator that is judged: a checkpoint, with the options of its run. */
export interface JudgedGenerator {
  readonly options: TrainOptions;
  readonly checkpoint: string;
  readonly run?: string;
}

/** The run or the checkpoint that is judged; undefined where it is files of pictures. */
export async function judgedIn(values: Values): Promise<JudgedGenerator | undefined> {
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
  const { resolution, crop, resize } = options;
  return { resolution, crop, resize, ...values };
}

/** What it makes. */
export async function openGenerator(
  values: Values,
  { options, checkpoint, run }: JudgedGenerator,
): Promise<Side> {
  const { G, images } = await loadGenerator(recipeOf(options.recipe), options, checkpoint);
  const seed = Number(values.seed ?? 0), count = Number(values.samples ?? 10_000);
  const { resolution } = options;
  return {
    about: { ...(run && { run }), checkpoint, images, seed, resolution, rounding: ROUNDING },
    name: run ?? checkpoint,
    set: generated(G, options, count, seed),
  };
}

/** The real pictures: as named, else those that the run was trained on; prepared as those were. */
export async function openReal(values: Values, options: TrainOptions | undefined): Promise<Side> {
  if (!options && values.run !== undefined) options = await optionsOf(await runOf(values));
  const path = values.real ?? options?.data;
  if (path === undefined) throw new UsageError("--real FOLDER: name the real pictures");
  if (path) {
    return await openFiles(String(path), await prepared(values, options), values.realSamples);
  }
  // The built-in pictures are no folder of the user's.
  const { resolution, crop, resize } = options!, cache = cacheFolder(values);
  const pictures = await openPictures({ resolution, crop, resize: resize as Resize, cache });
  const set = inMemory(pictures, Number(values.realSamples ?? pictures.count));
  return {
    about: { pictures: pictures.name, resolution, crop, resize, hash: pictures.hash },
    name: pictures.name,
    hash: `${pictures.hash} ${set.count}`,
    set,
  };
}

/** Files to judge: as large as the run's pictures, if one is named, but not cropped as those were. */
export async function openFakes(values: Values): Promise<Side> {
  const like = { ...await prepared(values), crop: values.fakeCrop ?? "center" };
  return await openFiles(String(values.fake), like, values.samples);
}

async function openFiles(
  path: string,
  values: Values,
  most: Values[string] | undefined,
): Promise<Side> {
  if (path.endsWith(".npz")) {
    const { statistics, about } = await loadStatistics(path);
    return { about: { statistics: path, ...about }, name: path, statistics };
  }
  const crop = String(values.crop ?? "center"), resize = String(values.resize ?? "area");
  const stream = await openStream({
    data: path,
    crop,
    resize: resize as Resize,
    cache: cacheFolder(values),
    ...(values.resolution !== undefined && { resolution: Number(values.resolution) }),
    ...(most !== undefined && { most: Number(most) }),
  });
  const { name, resolution, hash, broken } = stream;
  return {
    about: { pictures: path, resolution, crop, resize, hash },
    name,
    hash,
    set: stream,
    broken,
    close: () => stream.close(),
  };
}
