/** Measures what `gan eval` was asked for: from two sides to numbers and their circumstances. */
import type { Rectangle } from "../data/crop.ts";
import { cachedFeatures, type CacheKey } from "../eval/files/cache.ts";
import { type Conventions, shortName } from "../eval/conventions.ts";
import { EvalError } from "../eval/errors.ts";
import { type ExtractOptions, type Feature, featuresOf, statisticsOf } from "../eval/extract.ts";
import { floorOfFaces } from "../eval/floor.ts";
import type { Asked, Metric, Result } from "../eval/metrics/metric.ts";
import { labelOf } from "../eval/metrics/registry.ts";
import { saveStatistics } from "../eval/files/npz.ts";
import type { Features } from "../eval/products.ts";
import { halvesOf, statisticsAndFloor } from "../eval/real.ts";
import type { Statistics } from "../eval/statistics.ts";
import type { LoadedNetwork } from "../eval/files/weights.ts";
import { UsageError } from "./errors.ts";
import type { Values } from "./options.ts";
import { cacheFolder, type Side } from "./sides.ts";

/** What there is to work with. */
export interface Work {
  readonly values: Values;
  readonly feature: Feature;
  readonly network: LoadedNetwork;
  readonly fake: Side;
  /** Absent where nothing is compared. */
  readonly real?: Side | undefined;
  /** Real images that were not trained on. */
  readonly heldOut?: Side | undefined;
  readonly like: Conventions;
  /** The part of images that is looked at; undefined for all. */
  readonly part?: Rectangle | undefined;
  /** Tells how far the extraction of a side's features is. */
  readonly watch: (side: "real" | "fake" | "held out") => ExtractOptions;
}

/** What a number is to be compared with. */
interface Floor {
  readonly n: number;
  readonly from: "data" | "faces";
  readonly [number: string]: unknown;
}

/** How the conventions and the command line have it. */
export function askedOf({ values, like, real, fake }: Work): Asked {
  const given = (name: string) => values[name] === undefined ? undefined : Number(values[name]);
  return {
    like,
    k: given("k"),
    seed: given("seed"),
    subsets: given("subsets"),
    subsetSize: given("subsetSize"),
    names: { real: real?.name ?? "", fake: fake.name },
  };
}

/** Measures one thing: with statistics alone, where these are enough. */
export async function measure(metric: Metric, work: Work): Promise<Result> {
  for (const side of [work.real, work.fake]) if (side) requireImages(side, side.set?.count);
  if (metric.ofStatistics) return await measureStatistics(metric, work);
  const [{ metric: _label, as: _as, source: _source, ...row }] = await measureRows([metric], work);
  return row;
}

/**
 * Measures several things of features that are computed once.
 *
 * @returns A row each: numbers, or why there are none.
 * @throws {EvalError} If there is but one metric, and it cannot be measured.
 */
export async function measureRows(metrics: readonly Metric[], work: Work): Promise<Result[]> {
  const { real, fake, heldOut, network, feature, like } = work;
  for (const side of [real, fake, heldOut]) {
    if (!side) continue;
    requireImages(side, side.set?.count);
    if (side.set) continue;
    const all = metrics.map(({ name }) => name).join(", ");
    throw new UsageError(`${all} needs images, not the statistics of ${side.name}`);
  }
  const fakes = await rowsOf(work, fake, "fake");
  const reals = real && await rowsOf(work, real, "real");
  const others = heldOut && await rowsOf(work, heldOut, "held out");
  const logits = metrics.some(({ input }) => input === "logits") &&
    (feature === "logits" ? fakes : await network.logits?.(fakes));
  const halves = reals && halvesOf(reals, fakes.count), rows: Result[] = [];
  const asked = askedOf(work);
  for (const metric of metrics) {
    const about = {
      metric: labelOf(metric, feature),
      as: like.metrics.includes(metric.name) ? like.tool : `${like.tool}, its input only`,
      source: metric.source,
    };
    try {
      const why = idle(metric, work, Boolean(logits));
      if (why) throw new EvalError(`eval: ${why}`);
      const sides = { real: reals ?? fakes, fake: fakes, heldOut: others };
      const found = metric.input === "logits"
        ? await metric.measure({ ...sides, fake: logits || fakes }, asked)
        : await metric.measure(sides, asked);
      const floor = metric.floor && halves ? await floorOf(metric, halves, asked) : undefined;
      const counts = { ...(metric.needs.length && { n_real: reals!.count }), n_fake: fakes.count };
      rows.push({ ...about, ...found, ...(floor && { floor }), ...counts });
    } catch (error) {
      const foreseen = error instanceof EvalError || error instanceof RangeError;
      if (metrics.length === 1 || !foreseen) throw error;
      rows.push({ ...about, skipped: error.message.replace(/^eval: /, "") });
    }
  }
  return rows;
}

/** Why a metric cannot be measured here; undefined where it can. */
function idle({ name, needs, input, of }: Metric, work: Work, logits: boolean): string | undefined {
  const { like, values, heldOut, feature } = work;
  if (values.like !== undefined && !like.metrics.includes(name)) {
    return `${shortName(like)} has no ${name}`;
  }
  if (needs.includes("heldOut") && !heldOut) {
    return `${name} needs real images that were not trained on: name them with --held-out`;
  }
  if (of !== undefined && of !== feature) {
    return `${name} looks at faces: take --feature ${of}, not ${feature}`;
  }
  if (input === "logits" && !logits) {
    return `${name} needs Inception's logits: take --feature 2048, not ${feature}, and the whole file`;
  }
  return undefined;
}

async function floorOf(
  metric: Metric,
  [real, fake]: [Features, Features],
  asked: Asked,
): Promise<Floor | undefined> {
  try {
    const found = await metric.measure({ real, fake }, asked);
    const numbers = Object.keys(metric.numbers).filter((name) => name in found);
    return {
      ...Object.fromEntries(numbers.map((name) => [name, found[name]])),
      n: fake.count,
      from: "data",
    };
  } catch (error) {
    if (error instanceof EvalError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function requireImages({ name }: Side, count: number | undefined): void {
  if (count === undefined || count >= 2) return;
  throw new EvalError(
    `eval: ${name} holds ${count} usable ${count === 1 ? "image" : "images"}, expected at least 2`,
  );
}

function keyOf({ values, feature, network, like, part }: Work, side: Side): CacheKey {
  return {
    folder: cacheFolder(values),
    name: side.name,
    hash: part ? `${side.hash} of ${values.faceCrop}` : side.hash!,
    feature,
    weights: network.sha256,
    stage: like.stage,
  };
}

/** A side's features: of real images they are kept. */
export async function rowsOf(
  work: Work,
  side: Side,
  which: "real" | "fake" | "held out",
): Promise<Features> {
  const make = () => featuresOf(work.network.net, side.set!, work.watch(which));
  const rows = which === "fake"
    ? await make()
    : await cachedFeatures(keyOf(work, side), make, side.survey);
  requireImages(side, rows.count);
  return rows;
}

async function measureStatistics(metric: Metric, work: Work): Promise<Result> {
  const { values, feature, network, fake, real, like } = work;
  const expected = Math.min(countOf(fake), countOf(real!));
  const { statistics: a, floor } = await realStatistics(work, real!, expected);
  const path = values.saveStats as string | undefined;
  if (path !== undefined) {
    const { about, survey } = real!;
    const made = {
      ...{ feature, weights: network.sha256, stage: like.stage, survey },
      ...work.part && { part: String(values.faceCrop) },
    };
    await saveStatistics(path, { statistics: a, about: { ...about, ...made } });
  }
  const b = fake.statistics ?? await named(
    fake,
    statisticsOf(network.net, fake.set!, work.watch("fake")),
  );
  if (a.mean.length !== b.mean.length) {
    throw new EvalError(
      `eval: the statistics of ${a.mean.length} and ${b.mean.length} features cannot be compared; ` +
        `choose the --feature that the .npz was made with`,
    );
  }
  return {
    ...metric.ofStatistics!(a, b, askedOf(work)),
    floor: floor ?? floorFromTable(feature, a, b),
    n_real: a.count ?? null,
    n_fake: b.count ?? null,
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

/** Of the real side; with the floor at `n` images per side where there are twice as many real ones. */
async function realStatistics(
  work: Work,
  real: Side,
  n: number,
): Promise<{ statistics: Statistics; floor: Floor | undefined }> {
  if (real.statistics) return { statistics: real.statistics, floor: undefined };
  const { network: { net }, like: { divisor } } = work, { set, survey } = real;
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
