/** Measures what `gan eval` was asked for: from two sides to a number and its circumstances. */
import { cachedFeatures, type CacheKey } from "../eval/cache.ts";
import { type Conventions, type Metric, shortName } from "../eval/conventions.ts";
import { EvalError } from "../eval/errors.ts";
import { type ExtractOptions, featuresOf, statisticsOf } from "../eval/extract.ts";
import { floorOfFaces } from "../eval/floor.ts";
import { inceptionScore } from "../eval/inception_score.ts";
import { kid } from "../eval/kid.ts";
import { saveStatistics } from "../eval/npz.ts";
import { type PrecisionRecall, precisionRecall } from "../eval/precision_recall.ts";
import type { Features } from "../eval/products.ts";
import { distanceOver, statisticsAndFloor } from "../eval/real.ts";
import type { Statistics } from "../eval/statistics.ts";
import type { LoadedInception } from "../eval/weights.ts";
import type { Feature } from "../models/inception.ts";
import { UsageError } from "./errors.ts";
import type { Values } from "./options.ts";
import { cacheFolder, type Side } from "./sides.ts";

/** What there is to work with. */
export interface Work {
  readonly values: Values;
  readonly feature: Feature;
  readonly inception: LoadedInception;
  readonly fake: Side;
  /** Absent for the Inception Score. */
  readonly real?: Side | undefined;
  readonly like: Conventions;
  /** Tells how far the extraction of a side's features is. */
  readonly watch: (side: "real" | "fake") => ExtractOptions;
}

/** A number, or four, with what belongs to it. */
export type Result = Readonly<Record<string, unknown>>;

/** Measures. */
export async function measure(metric: Metric, work: Work): Promise<Result> {
  for (const side of [work.real, work.fake]) if (side) requireImages(side, side.set?.count);
  if (metric === "fid") return await measureFid(work);
  for (const side of [work.real, work.fake]) {
    if (side && !side.set) {
      throw new UsageError(`${metric} needs images, not the statistics of ${side.name}`);
    }
  }
  const { real } = work, b = await fakeFeatures(work);
  if (!real) return score(work, b);
  const key = keyOf(work, real);
  const make = () => featuresOf(work.inception.net, real.set!, work.watch("real"));
  const a = await cachedFeatures(key, make, real.survey);
  requireImages(real, a.count);
  const counts = { n_real: a.count, n_fake: b.count };
  const result = metric === "kid" ? await kernelDistance(work, a, b) : await shares(work, a, b);
  return { ...result, ...counts };
}

function requireImages({ name }: Side, count: number | undefined): void {
  if (count === undefined || count >= 2) return;
  throw new EvalError(
    `eval: ${name} holds ${count} usable ${count === 1 ? "image" : "images"}, expected at least 2`,
  );
}

function keyOf({ values, feature, inception, like }: Work, side: Side): CacheKey {
  return {
    folder: cacheFolder(values),
    name: side.name,
    hash: side.hash!,
    feature,
    weights: inception.sha256,
    stage: like.stage,
  };
}

async function fakeFeatures({ inception, fake, watch }: Work): Promise<Features> {
  const found = await featuresOf(inception.net, fake.set!, watch("fake"));
  requireImages(fake, found.count);
  return found;
}

async function measureFid(work: Work): Promise<Result> {
  const { values, feature, inception, fake, real, like } = work;
  const expected = Math.min(countOf(fake), countOf(real!));
  const { statistics: a, floor } = await realStatistics(work, real!, expected);
  const path = values.saveStats as string | undefined;
  if (path !== undefined) {
    const { about, survey } = real!;
    const made = { feature, weights: inception.sha256, stage: like.stage, survey };
    await saveStatistics(path, { statistics: a, about: { ...about, ...made } });
  }
  const b = fake.statistics ?? await named(
    fake,
    statisticsOf(inception.net, fake.set!, work.watch("fake")),
  );
  if (a.mean.length !== b.mean.length) {
    throw new EvalError(
      `eval: the statistics of ${a.mean.length} and ${b.mean.length} features cannot be compared; ` +
        `choose the --feature that the .npz was made with`,
    );
  }
  return {
    value: distanceOver(like.divisor, a, b),
    floor: floor ?? floorFromTable(feature, a, b),
    n_real: a.count ?? null,
    n_fake: b.count ?? null,
    dimension: a.mean.length,
  };
}

function countOf(side: Side): number {
  return side.set?.count ?? side.statistics?.count ?? Infinity;
}

/** Says of which side it is that there is too little. */
async function named<T>(side: Side, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EvalError(`eval: ${side.name}: ${error.message}`, { cause: error });
  }
}

/** What a distance of `n` images per side is to be compared with. */
interface Floor {
  readonly value: number;
  readonly n: number;
  readonly from: "data" | "faces";
}

/** Of the real side; with the floor at `n` images per side where there are twice as many real ones. */
async function realStatistics(
  work: Work,
  real: Side,
  n: number,
): Promise<{ statistics: Statistics; floor: Floor | undefined }> {
  if (real.statistics) return { statistics: real.statistics, floor: undefined };
  const { inception: { net }, like: { divisor } } = work, { set, survey } = real;
  const images = {
    net,
    set: set!,
    survey,
    divisor,
    key: keyOf(work, real),
    options: work.watch("real"),
  };
  const { statistics, floor } = await named(real, statisticsAndFloor(images, n));
  return {
    statistics,
    floor: floor === undefined ? undefined : { value: floor, n, from: "data" },
  };
}

function floorFromTable(feature: Feature, a: Statistics, b: Statistics): Floor | null {
  if (a.count === undefined && b.count === undefined) return null;
  const n = Math.min(a.count ?? Infinity, b.count ?? Infinity), value = floorOfFaces(feature, n);
  return value === undefined ? null : { value, n, from: "faces" };
}

async function kernelDistance({ values, like, real, fake }: Work, a: Features, b: Features) {
  const size = Number(values.subsetSize ?? like.kid.size), fewest = Math.min(a.count, b.count);
  if (like.kid.refuses && fewest < size) {
    const short = a.count <= b.count ? real! : fake;
    throw new EvalError(
      `eval: ${short.name} has ${fewest} images, fewer than a subset of ${size}, which ` +
        `${shortName(like)} refuses: give --subset-size`,
    );
  }
  const subsets = Number(values.subsets ?? like.kid.subsets);
  const seed = Number(values.seed ?? like.kid.seed);
  const { deviation, ...found } = await kid(a, b, { subsets, size, seed });
  // A single subset has no deviation.
  return { ...found, ...(found.subsets > 1 && { deviation }), draws: `RandomState(${seed})` };
}

function score({ values, like, fake }: Work, b: Features): Result {
  if (b.count < 10) {
    throw new EvalError(`eval: ${fake.name} holds ${b.count} images, too few for 10 splits`);
  }
  const seed = like.shuffle === null ? null : Number(values.seed ?? like.shuffle);
  const { value, deviation } = inceptionScore(b.values, b.dimension, 10, seed);
  const order = seed === null
    ? "of the files"
    : `shuffled by RandomState(${seed}), as torch-fidelity does`;
  return { value, deviation, splits: 10, order, n_fake: b.count };
}

async function shares({ values, like, real, fake }: Work, a: Features, b: Features) {
  const given = values.k === undefined ? undefined : Number(values.k);
  const k = given ?? like.neighbours.k, densityK = given ?? like.neighbours.densityK;
  const short = a.count <= b.count ? real! : fake, fewest = Math.min(a.count, b.count);
  if (fewest <= Math.max(k, densityK)) {
    throw new EvalError(
      `eval: ${short.name} holds ${fewest} images, too few for ${Math.max(k, densityK)} ` +
        `neighbours: give a smaller --k`,
    );
  }
  const found = await precisionRecall(a, b, { ...like.neighbours, k, densityK });
  const own: Partial<Record<keyof PrecisionRecall, number>> = {};
  for (const name of like.shares) own[name] = found[name];
  return { ...own, k, ...("density" in own && { density_k: densityK }) };
}
