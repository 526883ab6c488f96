import { dcgan } from "../train/dcgan.ts";
import { pggan } from "../train/pggan.ts";
import { r3gan } from "../train/r3gan.ts";
import { sagan } from "../train/sagan.ts";
import type { Recipe } from "../train/recipe.ts";
import { UsageError } from "./errors.ts";
import { choose } from "./options.ts";

/** Every system that can be trained, by name. */
export const recipes: Readonly<Record<string, Recipe>> = { dcgan, sagan, pggan, r3gan };

/**
 * The recipe of that name.
 *
 * @throws {UsageError} If there is none.
 */
export function recipeOf(name: string | undefined): Recipe {
  const names = Object.keys(recipes);
  if (name === undefined) {
    throw new UsageError(`Name what to train: gan train NAME, one of ${names.join(", ")}`);
  }
  if (!Object.hasOwn(recipes, name)) {
    throw new UsageError(`There is no recipe ${name}${choose(name, names)}`);
  }
  return recipes[name];
}
