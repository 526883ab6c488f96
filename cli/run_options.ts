/**
 * The options of a run: put together for a new one, read and checked for one that is there.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { parseCrop } from "../data/crop.ts";
import { defaults, type Option, optionTable, type TrainOptions } from "../train/options.ts";
import { validate } from "../train/validate.ts";
import { presetOptions, type Recipe, uses } from "../train/recipe.ts";
import { readOptions, RunError } from "../run/run_folder.ts";
import { UsageError } from "./errors.ts";
import { metricsIn } from "./evaluator.ts";
import { camel, choose, kebab, valueOf, type Values } from "./options.ts";
import { recipeOf, recipes } from "./recipes.ts";
import { trainOptions } from "./train_options.ts";

/** Names of the table's options of which this holds. */
const namesOf = (is: (option: Option) => unknown) =>
  Object.keys(optionTable).filter((name) => is(optionTable[name]));

/** Options of version 0.2 by their names of today. */
const RENAMED: Readonly<Record<string, keyof TrainOptions>> = {
  fidEvery: "evalEvery",
  fidSamples: "evalSamples",
  fidFeature: "evalFeature",
  fidWeights: "evalWeights",
};

/** The recipe and the options of a new run. */
export function newOptions(
  name: string | undefined,
  values: Values,
  software: boolean,
): { recipe: Recipe; options: TrainOptions } {
  const recipe = recipeOf(name), names = Object.keys(recipe.presets);
  // Without a GPU the full networks would take weeks.
  const preset = String(values.preset ?? (software ? "small" : "default"));
  if (!Object.hasOwn(recipe.presets, preset)) {
    throw new UsageError(
      `--preset ${preset}: ${recipe.name} has none of that name${choose(preset, names)}`,
    );
  }
  const given = Object.fromEntries(Object.entries(values).filter(([key]) => key in defaults));
  const options = { ...quick({ ...presetOptions(recipe, preset), ...given }), ...given };
  refuseIdle(recipe, given, options);
  return { recipe, options: checked(recipe, absolute(options)) };
}

/**
 * Of the built-in images a small run takes the faces: minutes are enough for those, not for all. They are
 * so few that DCGAN's D, at G's rate, soon knows them by heart.
 */
function quick(options: TrainOptions): TrainOptions {
  const { recipe, preset, data, classes, conditional } = options;
  if (preset !== "small" || data || classes || conditional) return options;
  const rates = recipe === "dcgan" ? { lrG: 4e-4, lrD: 1e-4 } : {};
  return { ...options, classes: "faces", ...rates };
}

/** Refuses options that would have no effect. */
function refuseIdle(recipe: Recipe, given: Values, options: TrainOptions): void {
  const foreign = Object.keys(given).find((name) => !uses(recipe, name));
  if (foreign) {
    const users = Object.values(recipes).filter((other) => uses(other, foreign));
    throw new UsageError(
      `--${kebab(foreign)} is for ${users.map(({ name }) => name).join(" and ")}: ` +
        `${recipe.name} has no use for it`,
    );
  }
  for (const name of Object.keys(given)) {
    const { needs } = optionTable[name];
    const value = needs && options[needs as keyof TrainOptions];
    if (value === 0 || value === "none") {
      throw new UsageError(
        `--${kebab(name)} has no effect without --${kebab(needs!)}: give that, too`,
      );
    }
  }
}

/** With paths that hold from any folder. */
export function absolute(options: TrainOptions): TrainOptions {
  const given: Record<string, unknown> = { ...options };
  for (const name of namesOf(({ path }) => path)) {
    if (given[name]) given[name] = resolve(String(given[name]));
  }
  return given as unknown as TrainOptions;
}

/**
 * The options, if they go together.
 *
 * @throws {UsageError} If they do not.
 */
export function checked(recipe: Recipe, options: TrainOptions): TrainOptions {
  metricsIn(options.evalMetrics);
  if (!Number.isInteger(Math.log2(options.resolution))) {
    throw new UsageError(`--resolution ${options.resolution}: expected a power of two`);
  }
  const wrong = validate(options) ?? recipe.validate?.(options);
  if (wrong) throw new UsageError(wrong);
  try {
    parseCrop(options.crop);
  } catch (error) {
    throw new UsageError(`--crop ${options.crop}: ${(error as Error).message}`);
  }
  return options;
}

/**
 * The options that a run was made with; what an older program did not know has its default. They are
 * held to what the command line accepts, as anyone may edit the file.
 *
 * @throws {RunError} If they are not those of a run; each fault is named.
 */
export async function optionsOf(run: string): Promise<TrainOptions> {
  const saved = renamed(await readOptions(run));
  const options = { ...defaults, recipe: "", preset: "", ...saved } as TrainOptions;
  let faults = faultsIn(saved, options);
  if (faults.length === 0) {
    try {
      checked(recipeOf(options.recipe), options);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults = [error.message];
    }
  }
  if (faults.length === 0) return absolute(options);
  throw new RunError(
    `run: ${join(run, "options.json")}: ${faults.join("; ")}; restore it or start a new run`,
  );
}

function renamed(saved: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(saved).map(([name, value]) => [RENAMED[name] ?? name, value]),
  );
}

/** What is wrong with single options, such as those in a file that anyone may edit. */
export function faultsIn(saved: Record<string, unknown>, options: TrainOptions): string[] {
  const standard: Record<string, unknown> = { recipe: "", preset: "", ...defaults };
  const preset = Object.hasOwn(recipes, options.recipe)
    ? recipes[options.recipe].presets[options.preset]?.options
    : undefined;
  return [
    ...Object.keys(saved).filter((name) => !Object.hasOwn(standard, name))
      .map((name) => `there is no option ${name}`),
    ...Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
      if (!Object.hasOwn(standard, name)) return [];
      if (typeof value !== typeof standard[name] || name === "recipe" && value === "") {
        const type = typeof standard[name];
        return [`${name} is ${JSON.stringify(value)}, expected a ${type}`];
      }
      if (value === standard[name] || value === preset?.[name as keyof TrainOptions]) return [];
      const option = trainOptions.find((option) => camel(option.name) === name);
      try {
        if (option && option.kind !== "flag") valueOf(option, value);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    }),
  ];
}

/** What the command line changes of a run's options: only how long it runs, and what it keeps. */
export function changedOptions(saved: TrainOptions, values: Values): TrainOptions {
  const free = namesOf(({ free }) => free);
  const fixed = Object.keys(values).find((key) =>
    (Object.hasOwn(defaults, key) || key === "preset") && !free.includes(key)
  );
  if (fixed) {
    throw new UsageError(
      `--${kebab(fixed)} cannot change in a run that goes on: ` +
        `only --${free.map(kebab).join(", --")} can`,
    );
  }
  const given = Object.fromEntries(Object.entries(values).filter(([key]) => free.includes(key)));
  return checked(recipeOf(saved.recipe), absolute({ ...saved, ...given }));
}

/**
 * Compares a run's options with those in its checkpoint.
 *
 * @returns What to tell of those that may differ.
 * @throws {RunError} If others differ: the networks would not be those that were trained.
 */
export function differences(
  run: string,
  options: TrainOptions,
  metadata: Readonly<Record<string, string>>,
): string[] {
  const before = optionsIn(metadata), free = namesOf(({ free }) => free);
  if (!before) return [];
  const names = Object.keys(before).filter((name) =>
    Object.hasOwn(options, name) && options[name as keyof TrainOptions] !==
      before[name as keyof TrainOptions]
  );
  const told = names.map((name) => {
    const [now, then] = [options, before].map((o) => JSON.stringify(o[name as keyof TrainOptions]));
    return { name, text: `${name} is ${now}, and ${then} in the checkpoint` };
  });
  const fixed = told.filter(({ name }) => !free.includes(name));
  if (fixed.length === 0) return told.map(({ text }) => `options.json: ${text}`);
  throw new RunError(
    `run: ${join(run, "options.json")}: ${fixed.map(({ text }) => text).join("; ")}: ` +
      "that cannot change in a run that goes on; restore it or start a new run",
  );
}

function optionsIn({ options }: Readonly<Record<string, string>>): TrainOptions | undefined {
  try {
    const found = JSON.parse(options ?? "null");
    return found &&
      absolute({ data: "", evalWeights: "", ...renamed(found) } as TrainOptions);
  } catch {
    return undefined;
  }
}
