/**
 * Going on with a run: what must hold before, and what of it is cut back.
 *
 * @module
 */
import { basename, join, resolve } from "@std/path";
import type { Dataset } from "../data/pack.ts";
import { DamagedError } from "../io/errors.ts";
import { removeLeft, writeAtomically } from "../io/write_atomically.ts";
import { scheduleOf } from "../train/growth.ts";
import { lockRun } from "../run/lock.ts";
import { trainedWrongly, WRONGLY } from "../train/old_build.ts";
import type { TrainOptions } from "../train/options.ts";
import type { Progress } from "../run/progress.ts";
import { type Recipe, savedOptions } from "../train/recipe.ts";
import {
  checkpointsIn,
  findCheckpoint,
  findRun,
  hasGrid,
  isOwnFile,
  readOptions,
  RunError,
  trimSnapshots,
  trimStats,
} from "../run/run_folder.ts";
import { markIn } from "../train/data_mark.ts";
import { loadState, openCheckpoint, type State } from "../train/state.ts";
import { UsageError } from "./errors.ts";
import type { Values } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { changedOptions, differences, optionsOf } from "./run_options.ts";

/** A run to go on with. */
export interface Resumed {
  readonly run: string;
  readonly recipe: Recipe;
  readonly options: TrainOptions;
  readonly checkpoint: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** What is worth a word. */
  readonly notes: readonly string[];
}

/**
 * Finds a run that `gan train --resume` names, and the checkpoint to go on from.
 *
 * @throws {RunError} If there is none, or its options cannot be those of the checkpoint.
 */
export async function openResumed(
  out: string,
  values: Values,
  name: string | undefined,
): Promise<Resumed> {
  const notes: string[] = [];
  const run = await findRun(out, String(values.resume), (text) => notes.push(text));
  const saved = await optionsOf(run), recipe = recipeOf(saved.recipe);
  if (name !== undefined && name !== recipe.name) {
    throw new UsageError(`${run} is a run of ${recipe.name}`);
  }
  const options = changedOptions(saved, values);
  const { checkpoint, metadata } = await soundCheckpoint(
    run,
    values.checkpoint as string | undefined,
    (text) => notes.push(text),
  );
  notes.push(...differences(run, saved, metadata));
  if (trainedWrongly(options, metadata)) notes.push(WRONGLY);
  return { run, recipe, options, checkpoint, metadata, notes };
}

/**
 * The newest checkpoint that is whole, or the one that is named.
 *
 * @param say Told of damaged ones that are passed over.
 * @throws {CheckpointError} If none is whole, or the newest that is holds NaN or infinity.
 */
export async function soundCheckpoint(
  run: string,
  named: string | undefined,
  say: (text: string) => void,
): Promise<Pick<Resumed, "checkpoint" | "metadata">> {
  const older = named === undefined ? (await checkpointsIn(run)).slice(0, -1) : [];
  let checkpoint = await findCheckpoint(run, named);
  while (true) {
    try {
      return { checkpoint, metadata: (await openCheckpoint(checkpoint)).metadata };
    } catch (error) {
      const before = older.pop();
      if (!(error instanceof DamagedError) || before === undefined) throw error;
      say(`${basename(checkpoint)} is damaged: back to ${basename(before)} (${error.message})`);
      checkpoint = before;
    }
  }
}

/** What to say where there is nothing left to do; undefined where there is. */
export async function finished(resumed: Resumed): Promise<string | undefined> {
  const { run, recipe, options, metadata } = resumed;
  const { total, at } = scheduleOf(recipe, options), images = Number(metadata.images);
  // A run that was killed after its last checkpoint lacks a grid.
  if (!(images >= total && await hasGrid(run, images))) return undefined;
  using _lock = await lockRun(run);
  await removeLeft(run, isOwnFile);
  // The last step may go beyond the end.
  const done = images - total < at(total).batch * options.dSteps ? total : images;
  return `${run} is already at ${done / 1000} of ${total / 1000} kimg; give --kimg N to go on`;
}

/**
 * Brings a state, and the run's folder, to where the checkpoint is.
 *
 * @throws {RunError} If the run was trained on other images, and that is not asked for.
 */
export async function goOn(
  { run, options, checkpoint, metadata, notes }: Resumed,
  state: State,
  dataset: Dataset,
  values: Values,
  progress: Progress,
): Promise<void> {
  refuseOtherData(run, options, metadata, dataset, values.acceptData === true);
  await loadState(state, checkpoint);
  await removeLeft(run, isOwnFile);
  await trimStats(run, state.images);
  await trimSnapshots(run, state.images);
  const saved = savedOptions(state.recipe, options);
  if (JSON.stringify(await readOptions(run)) !== JSON.stringify(saved)) {
    const path = join(run, "options.json"), { origin } = JSON.parse(await Deno.readTextFile(path));
    const text = JSON.stringify({ ...saved, origin }, null, 2) + "\n";
    await writeAtomically(path, new TextEncoder().encode(text));
  }
  for (const note of notes) progress.say(note);
  progress.say(`Going on from ${checkpoint}`);
}

function refuseOtherData(
  run: string,
  { data }: TrainOptions,
  metadata: Readonly<Record<string, string>>,
  dataset: Dataset,
  accepted: boolean,
): void {
  const mark = markIn(metadata);
  if (accepted || !mark || mark.hash === dataset.hash) return;
  throw new RunError(
    `run: ${basename(resolve(run))} was trained on other images than those of ${
      data || dataset.name
    } now (${mark.count} then, ${dataset.count} now; files or their dates have changed): bring the ` +
      "old ones back, or go on with these by --accept-data",
  );
}
