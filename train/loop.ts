/**
 * The one training loop. It knows no recipe and no command line.
 *
 * @module
 */
import type { Pictures } from "../data/pack.ts";
import type { Resize } from "../data/resample.ts";
import { batchAt, gather } from "../data/sampler.ts";
import { shrink } from "../data/shrink.ts";
import { profile } from "../gpu/record.ts";
import { timingTable } from "../gpu/stopwatch.ts";
import { scoped } from "../tensor/tensor.ts";
import { advance, play, stepPlayer } from "./advance.ts";
import { describe } from "./growth.ts";
import { judgeDue, judgeNow } from "./judge.ts";
import { Pacer } from "./pacer.ts";
import { GRID, Reporter } from "./reporter.ts";
import { grow } from "./state.ts";
import type { Training } from "./training.ts";

/**
 * Trains until the images are shown or the user stops; then, as now and then before, writes a
 * checkpoint and a grid.
 *
 * @returns True if the run is complete.
 * @throws {TrainError} If the run has broken down.
 */
export async function train(training: Training): Promise<boolean> {
  const { state, options, pictures, progress, signal } = training;
  const { total } = state.schedule, every = Math.round(1000 * options.snapshot);
  const reals = gather(
    pictures,
    batchAt({ count: pictures.count, seed: options.seed, mirror: false }, 0, GRID),
  );
  using reporter = new Reporter(training, reals);
  const pacer = new Pacer(), player = stepPlayer();
  if (state.images === 0) {
    await reporter.showReals();
    progress.say(`Compiling shaders: the first steps are slow`);
  }
  grow(state);
  let shown = shrink(pictures, state.stage.resolution, options.resize as Resize);
  await tuned(training, shown);
  if (Deno.env.get("GPU_DEBUG") === "2") await showProfile(training, shown);
  let judged: Record<string, number> | undefined;
  while (state.images < total && !signal.aborted) {
    const before = state.images;
    if (grow(state, () => player.forget())) {
      shown = shrink(pictures, state.stage.resolution, options.resize as Resize);
      progress.say(`Image ${before}: ${describe(state.schedule.at(before).phase)}`);
      progress.restart();
      await tuned(training, shown);
    }
    play(player, state, options, shown, (losses) => reporter.ledger.note(losses));
    await pacer.step();
    const judge = judgeDue(training, before);
    if (judge) player.forget();
    judged = judge && await judgeNow(judge, training);
    if (state.images >= total || signal.aborted) break; // the last snapshot tells it all
    if (Math.floor(state.images / every) > Math.floor(before / every)) {
      player.forget();
      await reporter.snapshot(judged);
    } else if (judged || reporter.due) await reporter.report(judged);
  }
  player.forget();
  await reporter.snapshot(judged);
  progress.finish();
  return state.images >= total;
}

/** Tunes the next step, which is rehearsed for that: afterwards the state is as it was. */
async function tuned({ tune, state, options }: Training, shown: Pictures): Promise<void> {
  const { images, optG, optD } = state, steps = [optG.steps, optD.steps];
  await tune?.(() => {
    try {
      scoped(() => void advance(state, options, shown));
    } finally {
      state.images = images;
      [optG.steps, optD.steps] = steps;
    }
  });
}

/** Where the time of one step goes, kernel by kernel; the step before it compiles. */
async function showProfile({ state, options, progress }: Training, shown: Pictures): Promise<void> {
  const step = () => scoped(() => void advance(state, options, shown));
  step();
  for (const line of timingTable(await profile(step, false))) progress.say(line);
}
