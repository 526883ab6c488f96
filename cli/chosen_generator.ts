import { dirname, join } from "@std/path";
import { sourceOf } from "../export/load.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import type { Module } from "../nn/module.ts";
import { hostRandom } from "../nn/random.ts";
import { findCheckpoint } from "../run/run_folder.ts";
import type { TrainOptions } from "../train/options.ts";
import { networkOptions } from "../train/recipe.ts";
import { loadGenerator } from "../train/state.ts";
import { chosenRun } from "./chosen_run.ts";
import type { Values } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { optionsOf } from "./run_options.ts";

/** A generator that a command is about, not loaded yet. */
export interface ChosenGenerator {
  /** The folder of its run, or of its file. */
  readonly folder: string;
  readonly file: string;
  readonly options: TrainOptions;
  /** Opens it, on the current device; `images` is how many it was trained on. */
  load(): Promise<{ G: Module; images: number }>;
}

/**
 * The generator of a run, of one of its checkpoints by path, or of a file that `gan export torch` wrote.
 *
 * @throws {UsageError} If there are several.
 * @throws {RunError} If there is no such run.
 */
export async function chosenGenerator(
  given: { readonly values: Values; readonly rest: readonly string[] },
): Promise<ChosenGenerator> {
  const [word] = given.rest,
    isFile = await Deno.stat(word ?? "").then(
      (found) => found.isFile && word.endsWith(".safetensors"),
      () => false,
    );
  if (isFile && given.rest.length === 1) {
    const folder = dirname(word);
    const isOfRun = await Deno.stat(join(folder, "options.json")).then(() => true, () => false);
    return isOfRun ? ofRun(folder, word) : await ofExport(folder, word);
  }
  const run = await chosenRun(given);
  return ofRun(run, await findCheckpoint(run, given.values.checkpoint as string | undefined));
}

async function ofRun(folder: string, file: string): Promise<ChosenGenerator> {
  const options = await optionsOf(folder);
  return {
    ...{ folder, file, options },
    load: () => loadGenerator(recipeOf(options.recipe), options, file),
  };
}

async function ofExport(folder: string, file: string): Promise<ChosenGenerator> {
  const { options, stage, images, fill } = sourceOf(await loadSafetensors(file), file);
  return {
    ...{ folder, file, options },
    load: () => {
      const G = recipeOf(options.recipe).G(networkOptions(options), hostRandom(0, 1), stage);
      fill(G);
      return Promise.resolve({ G, images });
    },
  };
}
