import { join } from "@std/path";
import { dcgan } from "../train/dcgan.ts";
import { pggan } from "../train/pggan.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { sagan } from "../train/sagan.ts";
import type { Recipe } from "../train/recipe.ts";
import { readOptions, RunError } from "../train/run_folder.ts";
import { UsageError } from "./errors.ts";

/** Every system that can be trained, by name. */
export const recipes: Readonly<Record<string, Recipe>> = { dcgan, sagan, pggan };

/**
 * The recipe of that name.
 *
 * @throws {UsageError} If there is none.
 */
export function recipeOf(name: string | undefined): Recipe {
  const names = Object.keys(recipes).join(", ");
  if (name === undefined) {
    throw new UsageError(`Name what to train: gan train NAME, one of ${names}`);
  }
  if (!Object.hasOwn(recipes, name)) {
    throw new UsageError(`There is no recipe ${name}: choose one of ${names}`);
  }
  return recipes[name];
}

/**
 * The options that a run was made with; what an older program did not know has its default.
 *
 * @throws {RunError} If they are not those of a run.
 */
export async function optionsOf(run: string): Promise<TrainOptions> {
  const options = { recipe: "", preset: "", ...defaults };
  const saved = { ...options, ...await readOptions(run) };
  for (const [name, value] of Object.entries(options)) {
    const found: unknown = saved[name as keyof TrainOptions];
    if (typeof found !== typeof value || found === "" && name === "recipe") {
      throw new RunError(
        `run: ${join(run, "options.json")}: ${name} is ${JSON.stringify(found)}, expected a ` +
          `${typeof value}; restore it or start a new run`,
      );
    }
  }
  return saved;
}
