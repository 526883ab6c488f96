import { imageChannels } from "../data/image.ts";
import type { Stage } from "../models/stage.ts";
import type { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import type { Annealed } from "./anneal.ts";
import { classesIn, latentLength } from "./classes.ts";
import type { Schedule } from "./growth.ts";
import { TrainError } from "./errors.ts";
import { defaults, type OptionName, optionTable, type TrainOptions } from "./options.ts";
import type { Terms } from "./terms.ts";

/**
 * How one system is trained: all that differs between systems, and nothing else. Whoever trains a system
 * of their own writes one.
 */
export interface Recipe {
  /** As on the command line. */
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  /** What each preset changes of the defaults; without a GPU `small` is taken if none is named. */
  readonly presets:
    & Readonly<Record<string, Preset>>
    & Readonly<Record<"default" | "small", Preset>>;
  /** The special options of the table that this recipe uses. */
  readonly options?: readonly OptionName[];
  /** What of these options does not go with these networks, in one sentence; undefined if all is well. */
  readonly validate?: (options: TrainOptions) => string | undefined;
  /** A generator, `[N, nz]` to `[N, R, R, C]`; R is the stage's. */
  readonly G: (options: NetworkOptions, random: HostRandom, stage: Stage) => Module;
  /** A discriminator, `[N, R, R, C]` to `[N]`; with classes by `logitsOf`. */
  readonly D: (options: NetworkOptions, random: HostRandom, stage: Stage) => Module;
  /** Terms of the losses beside the adversarial ones. */
  readonly terms: (options: Annealed) => Terms;
  /** The course of a run; if left out, all stays as it is from the first image to the last. */
  readonly schedule?: (options: TrainOptions) => Schedule;
}

/** A run's options as its networks are built from them: `nz` counts the classes that G is told, too. */
export type NetworkOptions = TrainOptions & {
  /** Of how many classes the networks are told; 0 if left out. */
  readonly classCount?: number;
  /** Channels C of images. */
  readonly imageChannels?: number;
};

/** A named set of options. */
export interface Preset {
  /** One line for `--help`. */
  readonly about: string;
  /** What it changes. */
  readonly options: Partial<TrainOptions>;
}

/** Whether a recipe uses an option of the table. */
export function uses({ options = [] }: Pick<Recipe, "options">, name: string): boolean {
  const option = optionTable[name];
  return option !== undefined && (!option.special || options.some((own) => own === name));
}

/**
 * What the networks of a run are built from.
 *
 * @throws {TrainError} If they are to be told of classes, and none are named.
 */
export function networkOptions(options: TrainOptions): NetworkOptions {
  const classCount = classesIn(options).length;
  if (options.conditional && classCount === 0) {
    throw new TrainError("train: conditional training needs names of classes: got none in classes");
  }
  const nz = latentLength(options);
  return { ...options, nz, classCount, imageChannels: imageChannels(options) };
}

/** The options of a preset. */
export function presetOptions(recipe: Recipe, preset: string): TrainOptions {
  return { ...defaults, ...recipe.presets[preset].options, recipe: recipe.name, preset };
}

/** Options without those that the recipe has no use for, as they are saved. */
export function savedOptions(recipe: Recipe, options: TrainOptions): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !optionTable[name] || uses(recipe, name)),
  );
}
