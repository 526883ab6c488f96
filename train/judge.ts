/**
 * How good a generator is, told now and then while it is trained, and the best one kept.
 *
 * @module
 */
import type { Module } from "../nn/module.ts";
import type { TrainOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import { bestPath, readStats } from "./run_folder.ts";
import { sampler, saveState, type State } from "./state.ts";

/** A measure of generators; less is better. */
export interface Judge {
  /** Its name in statistics and messages, e.g. `FID-768`. */
  readonly name: string;
  /** Images shown between two judgements. */
  readonly every: number;
  /** Judges a generator. */
  readonly value: (G: Module) => Promise<number>;
}

/** What a judgement is about, and where it is told. */
export interface Judged {
  readonly judge?: Judge | undefined;
  readonly state: State;
  readonly options: TrainOptions;
  readonly run: string;
  readonly progress: Progress;
}

/** The judge, if its time has come since `before` images, or the run is at its end. */
export function judgeDue(
  { judge, state: { images, schedule } }: Judged,
  before: number,
): Judge | undefined {
  const due = judge && Math.floor(images / judge.every) > Math.floor(before / judge.every);
  return due || images >= schedule.total ? judge : undefined;
}

/**
 * Judges the generator; the state with the least value so far is kept as `best.safetensors`.
 *
 * @returns The value by the judge's name, for the statistics.
 */
export async function judgeNow(
  judge: Judge,
  { state, options, run, progress }: Judged,
): Promise<Record<string, number>> {
  const { images } = state;
  progress.pause();
  const earlier = (await readStats(run)).map((report) => report[judge.name])
    .filter((value) => typeof value === "number");
  const value = await judge.value(sampler(state)), best = value < Math.min(...earlier);
  // The state first: statistics that name a best one which was never written would hide the next.
  if (best) await saveState(state, options, bestPath(run));
  progress.say(
    `Image ${images}: ${judge.name} ${value.toPrecision(5)}` +
      (best
        ? ", the best so far: kept as best.safetensors"
        : `, best ${Math.min(...earlier).toPrecision(5)}`),
  );
  progress.pause();
  return { [judge.name]: value };
}
