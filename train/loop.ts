/**
 * The one training loop. It knows no recipe, no command line and no files.
 *
 * @module
 */
import { imageChannels } from "../data/image.ts";
import type { Dataset } from "../data/pack.ts";
import type { Resize } from "../data/resample.ts";
import { shrink } from "../data/shrink.ts";
import { advance, play, rehearsable, stepPlayer } from "./advance.ts";
import { BreakdownError, TrainError } from "./errors.ts";
import { Guard } from "./guard.ts";
import { Pacer } from "./pacer.ts";
import { grow } from "./state.ts";
import type { Training } from "./training.ts";

/**
 * Trains a state until its images are shown, or the signal is aborted.
 *
 * @returns True if the run is complete.
 * @throws {BreakdownError} If the run has broken down: NaN or infinity, or what the observer finds.
 */
export async function train(training: Training): Promise<boolean> {
  const { state, observer = {}, signal } = training;
  const { total } = state.schedule, pacer = new Pacer(), player = stepPlayer();
  const guard = new Guard(state), pause = () => player.forget();
  try {
    await observer.begin?.();
    grow(state);
    let shown = await prepared(training);
    const again = () => void advance(state, shown);
    while (state.images < total && !signal?.aborted) {
      const before = state.images;
      if (grow(state, pause)) {
        observer.stage?.();
        shown = await prepared(training);
      }
      play(player, state, shown, (losses) => observer.losses?.(losses));
      await pacer.step();
      const last = state.images >= total || signal?.aborted === true;
      await (last ? guard.check(again) : guard.stepped(again));
      await observer.stepped?.({ before, last, pause })?.catch(async (error) => {
        if (error instanceof BreakdownError) await guard.check(again); // which knows more
        throw error;
      });
    }
  } finally {
    pause();
  }
  await observer.end?.();
  return state.images >= total;
}

/** Images of the stage's size, and tuned steps: they are rehearsed, and afterwards the state is as before. */
async function prepared({ state, dataset, tune }: Training): Promise<Dataset> {
  const C = imageChannels(state.options), { name, channels = 3 } = dataset;
  if (channels !== C) {
    throw new TrainError(
      `train: the run has images of ${C} ${
        C === 1 ? "channel" : "channels"
      }, ${name} of ${channels}: open it with --channels ` +
        state.options.channels,
    );
  }
  const shown = shrink(dataset, state.stage.resolution, state.options.resize as Resize);
  await tune?.(rehearsable(state, shown));
  return shown;
}
