/**
 * How good a generator is, told now and then while it is trained, and the best one kept.
 *
 * @module
 */
import type { Module } from "../nn/module.ts";
import type { Progress } from "./progress.ts";
import { bestPath, readStats } from "./run_folder.ts";
import { sampler, saveState, type State } from "../train/state.ts";

/** Measures of generators. */
export interface Judge {
  /** The number by which the best is kept, as it is called in statistics and messages: `FID-768`. */
  readonly name: string;
  /** Which of two such numbers is the better one. */
  readonly better: "less" | "more";
  /** Images shown between two judgements. */
  readonly every: number;
  /** Judges a generator: that number, and perhaps others, by name. */
  readonly values: (G: Module) => Promise<Readonly<Record<string, number>>>;
}

/** What a judgement is about, and where it is told. */
export interface Judged {
  readonly judge?: Judge | undefined;
  readonly state: State;
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
 * Judges the generator; the state with the best value so far is kept as `best.safetensors`.
 *
 * @returns The values by name, for the statistics.
 */
export async function judgeNow(
  judge: Judge,
  { state, run, progress }: Judged,
): Promise<Record<string, number>> {
  const { images } = state;
  progress.pause();
  const earlier = (await readStats(run)).map((report) => report[judge.name])
    .filter((value) => typeof value === "number");
  const found = await judge.values(sampler(state)), value = found[judge.name];
  const before = judge.better === "less" ? Math.min(...earlier) : Math.max(...earlier);
  const best = judge.better === "less" ? value < before : value > before;
  const others = Object.entries(found).filter(([name]) => name !== judge.name)
    .map(([name, value]) => `, ${name} ${value.toPrecision(5)}`).join("");
  // The state first: statistics that name a best one which was never written would hide the next.
  if (best) await saveState(state, bestPath(run));
  progress.say(
    `Image ${images}: ${judge.name} ${value.toPrecision(5)}` +
      (best ? ", the best so far: kept as best.safetensors" : `, best ${before.toPrecision(5)}`) +
      others,
  );
  progress.pause();
  return found;
}
