/**
 * Which runs experiments need at a chosen scale, and which run is whose.
 *
 * @module
 */
import { scheduleOf } from "../../train/growth.ts";
import { defaults, type TrainOptions } from "../../train/options.ts";
import { type Recipe, savedOptions, uses } from "../../train/recipe.ts";
import { kebab, type Values } from "../options.ts";
import { recipeOf } from "../recipes.ts";
import { newOptions } from "../run_options.ts";
import type { Experiment, Variant } from "./experiments.ts";

/** How large the experiments are made. What is undefined is as in the presets. */
export interface Scale {
  /** Thousands of images a run. */
  readonly kimg?: number | undefined;
  /** Runs of a variant; their seeds are 0, 1, ... */
  readonly seeds: number;
  /** Instead of that of each experiment. */
  readonly resolution?: number | undefined;
  readonly batch?: number | undefined;
  /** `ngf` and `ndf`; PGGAN's channels are in proportion. */
  readonly width?: number | undefined;
  readonly data?: string | undefined;
  readonly crop?: string | undefined;
  /** Generated images an evaluation; 0 for none. */
  readonly samples: number;
  readonly feature: string;
  /** Inception's file. */
  readonly weights?: string | undefined;
}

/** A run that is wanted. */
export interface Job {
  /** What the command line of `gan train` changes of the preset. */
  readonly values: Values;
  readonly recipe: Recipe;
  readonly options: TrainOptions;
  /** The same for the same run: see {@linkcode keyOf}. */
  readonly key: string;
}

/** Options that change what a run keeps, not what it computes. */
const KEPT: readonly string[] = ["keep", "snapshot"];

/** All options that a run uses, as text: two runs with one key are the same run. */
export function keyOf(recipe: Recipe, options: TrainOptions): string {
  const counting = Object.entries(savedOptions(recipe, options))
    .filter(([name]) => !KEPT.includes(name));
  return JSON.stringify(counting.sort(([a], [b]) => a < b ? -1 : 1));
}

/**
 * The run of a variant.
 *
 * @throws {UsageError} If its options do not go together.
 */
export function jobOf(
  { resolution }: Experiment,
  { recipe: name, preset, options: changes, times = 1 }: Variant,
  seed: number,
  scale: Scale,
): Job {
  const { batch, data, crop } = scale;
  const values = present({
    preset,
    ...{ resolution: scale.resolution ?? resolution, seed, batch, data, crop },
    ...widths(recipeOf(name), scale),
    ...changes,
  });
  const shown = times *
    (scale.kimg ?? recipeOf(name).presets[preset].options.kimg ?? defaults.kimg);
  const images = length(name, values, times === 1 ? scale.kimg : shown);
  const { recipe, options } = newOptions(name, { ...values, ...images }, false);
  const kimg = scheduleOf(recipe, options).total / 1000;
  const whole = present({
    ...values,
    ...images,
    ...evaluation(kimg, scale),
    snapshot: rounded(kimg / 4),
    keep: 1,
  });
  const job = newOptions(name, whole, false);
  return { values: whole, ...job, key: keyOf(job.recipe, job.options) };
}

function widths(recipe: Recipe, { width }: Scale): Values {
  if (width === undefined) return {};
  return uses(recipe, "ngf")
    ? { ngf: width, ndf: width }
    : { fmapBase: 64 * width, fmapMax: 4 * width };
}

/** So many images as are wanted; networks that grow do so in proportion. */
function length(name: string, values: Values, kimg: number | undefined): Values {
  if (kimg === undefined) return {};
  const { recipe, options } = newOptions(name, values, false);
  if (!recipe.schedule) return { kimg };
  const share = kimg / (scheduleOf(recipe, { ...options, kimg: 0 }).total / 1000);
  return {
    phaseKimg: rounded(share * options.phaseKimg),
    lastKimg: rounded(share * options.lastKimg),
  };
}

/** Once, at the end: what is measured before would take the time of training. */
function evaluation(kimg: number, { samples, feature, weights }: Scale): Partial<Values> {
  if (samples === 0) return {};
  return {
    ...{ evalEvery: kimg, evalMetrics: "fid", evalSamples: samples, evalFeature: feature },
    ...weights !== undefined && { evalWeights: weights },
  };
}

/** Images are counted whole. */
function rounded(kimg: number): number {
  return Math.max(0.001, Number(kimg.toFixed(3)));
}

function present(values: Record<string, Values[string] | undefined>): Values {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, Values[string]] =>
      entry[1] !== undefined
    ),
  );
}

/** The runs of experiments, each once: whole comparisons first, a seed after another. */
export function jobsOf(experiments: readonly Experiment[], scale: Scale): Job[] {
  const jobs = new Map<string, Job>();
  for (const experiment of experiments) {
    for (let seed = 0; seed < scale.seeds; seed++) {
      for (const variant of Object.values(experiment.variants)) {
        const job = jobOf(experiment, variant, seed, scale);
        if (!jobs.has(job.key)) jobs.set(job.key, job);
      }
    }
  }
  return [...jobs.values()];
}

/** The words after `gan train`. */
export function commandOf({ recipe, values }: Job): string[] {
  return [
    recipe.name,
    ...Object.entries(values).flatMap(([name, value]) =>
      value === true
        ? [`--${kebab(name)}`]
        : value === false
        ? [`--no-${kebab(name)}`]
        : [`--${kebab(name)}`, String(value)]
    ),
  ];
}
