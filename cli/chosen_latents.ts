/**
 * Which latents `gan sample` makes images of: seeds, truncation, a class.
 *
 * @module
 */
import { classesIn } from "../train/classes.ts";
import type { TrainOptions } from "../train/options.ts";
import type { SamplingOptions } from "../train/sampling.ts";
import { UsageError } from "./errors.ts";
import { choose } from "./options.ts";

const MOST_SEEDS = 1_000_000; // in a range

/** Seeds such as `0-15,40`. */
export function seedsChosen(text: string | undefined): number[] | undefined {
  return text?.split(",").flatMap((part) => {
    const [, first, , last = first] = /^\s*(\d{1,15})(-(\d{1,15}))?\s*$/.exec(part) ?? [];
    const n = Number(last) - Number(first) + 1;
    if (!(n >= 1 && n <= MOST_SEEDS)) {
      throw new UsageError(`--seeds ${text}: expected whole numbers and ranges, as 0-15,40`);
    }
    return Array.from({ length: n }, (_, i) => Number(first) + i);
  });
}

/** How far latents are drawn to their mean. */
export function truncationChosen(
  { recipe, norm }: TrainOptions,
  truncation: number | undefined,
): Pick<SamplingOptions, "truncation"> {
  if (truncation === undefined) return {};
  if (recipe === "pggan" && norm === "pixel") {
    throw new UsageError("--truncation has no effect here: this generator normalises its latents");
  }
  return { truncation };
}

/** What makes all images of one class. */
export function classChosen(
  options: TrainOptions,
  name: string | undefined,
): Pick<SamplingOptions, "classOf"> {
  if (name === undefined) return {};
  const names = classesIn(options), number = names.indexOf(name);
  if (names.length === 0) {
    throw new UsageError("--class: this run's networks know of no classes: train --conditional");
  }
  if (number < 0) throw new UsageError(`--class: there is no class ${name}${choose(name, names)}`);
  return { classOf: () => number };
}
