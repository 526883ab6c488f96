import { dcgan } from "../train/dcgan.ts";
import type { Recipe } from "../train/recipe.ts";
import { UsageError } from "./errors.ts";

/** Every system that can be trained, by name. */
export const recipes: Readonly<Record<string, Recipe>> = { dcgan };

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
