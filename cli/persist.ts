/**
 * What a run gets over by itself: the loss of its device, and numbers that broke down.
 *
 * @module
 */
import { currentGpu } from "../gpu/gpu.ts";
import type { Progress } from "../run/progress.ts";
import { checkpointsIn, trimSnapshots, trimStats } from "../run/run_folder.ts";
import type { TrainOptions } from "../train/options.ts";
import { BreakdownError, CollapseError } from "../train/errors.ts";
import { freeState, loadState, newState, type State } from "../train/state.ts";
import { soundCheckpoint } from "./resume.ts";

const MOST_ROLLBACKS = 3;

/** A run, and how it is trained. */
export interface Persistent {
  /** Its folder. */
  readonly run: string;
  readonly progress: Pick<Progress, "say" | "finish">;
  /** Trains from a state on; returns whether the run is complete. */
  readonly attempt: (state: State) => Promise<boolean>;
  /** Opens another device, and makes it the current one. */
  readonly reopen: () => Promise<void>;
}

/**
 * Trains a run. Where its device is lost it goes on with another one, once; where it breaks down and
 * `--on-nan rollback` is given, or collapses with `--on-collapse rollback`, it goes on with other random numbers, three times at most. Both go on
 * from the last good checkpoint, or from the start where there is none.
 *
 * @returns Whether the run is complete.
 * @throws {Error} As the last attempt.
 */
export async function persist(
  state: State,
  { run, progress, attempt, reopen }: Persistent,
): Promise<boolean> {
  let lost = false, rollbacks = 0;
  while (true) {
    try {
      return await attempt(state);
    } catch (error) {
      progress.finish();
      if (!lost && await deviceIsLost()) {
        lost = true;
        progress.say((error as Error).message);
        await reopen();
      } else if (
        isToGoBack(error, state.options) && rollbacks < MOST_ROLLBACKS
      ) {
        rollbacks++;
        progress.say((error as Error).message);
        freeState(state);
      } else throw error;
    }
    state = await lastGood(state, run, progress);
    state.rollbacks += rollbacks;
  }
}

/** Whether options ask for another attempt after this error. */
function isToGoBack(error: unknown, { onNan, onCollapse }: TrainOptions): boolean {
  return error instanceof BreakdownError && onNan === "rollback" ||
    error instanceof CollapseError && onCollapse === "rollback";
}

/** Whether the current device is lost: of that an event tells, which may come after the first error. */
async function deviceIsLost(): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return currentGpu()?.isLost ?? false;
}

/** A state, and the run's folder, as they were at the last good checkpoint. */
async function lastGood(
  { recipe, options, data }: State,
  run: string,
  progress: Pick<Progress, "say">,
): Promise<State> {
  const state = newState(recipe, options), say = (text: string) => progress.say(text);
  const some = (await checkpointsIn(run)).length > 0;
  const checkpoint = some ? (await soundCheckpoint(run, undefined, say)).checkpoint : undefined;
  if (checkpoint !== undefined) await loadState(state, checkpoint);
  state.data = data;
  await trimStats(run, state.images);
  await trimSnapshots(run, state.images);
  say(checkpoint === undefined ? "Starting anew" : `Going on from ${checkpoint}`);
  return state;
}
