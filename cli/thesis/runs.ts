/**
 * The runs that experiments have left: found by their options, whatever their names are.
 *
 * @module
 */
import { join } from "@std/path";
import { loadMetadata } from "../../io/safetensors.ts";
import { scheduleOf } from "../../train/growth.ts";
import { checkpointsIn, readStats, type Report, RunError, runsIn } from "../../run/run_folder.ts";
import { recipeOf } from "../recipes.ts";
import { optionsOf } from "../run_options.ts";
import { keyOf } from "./plan.ts";

/** A run as it is on disk. */
export interface Made {
  readonly folder: string;
  readonly state: "finished" | "stopped" | "no checkpoint";
  readonly images: number;
  readonly stats: readonly Report[];
  /** Of its newest checkpoint: version, device, data. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The runs in a folder by the keys of their options; of several with one key, the furthest. */
export async function madeIn(folder: string): Promise<Map<string, Made>> {
  const found = new Map<string, Made>();
  for (const { name } of await runsIn(folder)) {
    if (name.startsWith(".")) continue;
    const run = await read(join(folder, name));
    const before = run && found.get(run.key);
    if (run && !(before && before.images >= run.made.images)) found.set(run.key, run.made);
  }
  return found;
}

/** A run that cannot be understood is none of ours. */
async function read(folder: string): Promise<{ key: string; made: Made } | undefined> {
  try {
    const options = await optionsOf(folder), stats = await readStats(folder);
    const checkpoint = (await checkpointsIn(folder)).at(-1);
    const metadata = checkpoint === undefined ? {} : await loadMetadata(checkpoint);
    const recipe = recipeOf(options.recipe), { total } = scheduleOf(recipe, options);
    const images = Number(metadata.images ?? 0);
    const state = checkpoint === undefined
      ? "no checkpoint"
      : images >= total
      ? "finished"
      : "stopped";
    return { key: keyOf(recipe, options), made: { folder, state, images, stats, metadata } };
  } catch (error) {
    if (error instanceof RunError) return undefined;
    throw error;
  }
}
