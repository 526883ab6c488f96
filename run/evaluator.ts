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
export interface Evaluator {
  /** The number by which the best is kept, as it is called in statistics and messages: `FID-768`. */
  readonly name: string;
  /** Which of two such numbers is the better one. */
  readonly better: "less" | "more";
  /** Images shown between two evaluations. */
  readonly every: number;
  /** Evaluates a generator: that number, and perhaps others, by name. */
  readonly values: (G: Module) => Promise<Readonly<Record<string, number>>>;
}

/** What an evaluation is about, and where it is told. */
export interface Evaluated {
  readonly evaluator?: Evaluator | undefined;
  readonly state: State;
  readonly run: string;
  readonly progress: Progress;
}

/** The evaluator, if its time has come since `before` images, or the run is at its end. */
export function evaluationDue(
  { evaluator, state: { images, schedule } }: Evaluated,
  before: number,
): Evaluator | undefined {
  const due = evaluator &&
    Math.floor(images / evaluator.every) > Math.floor(before / evaluator.every);
  return due || images >= schedule.total ? evaluator : undefined;
}

const IN_A_ROW = 3, WORSE = 1.1; // three evaluations, each by more than a tenth

/** What to do about a run whose last evaluations are all clearly worse than its best one; else undefined. */
export function declined(
  values: readonly number[],
  { name, better }: Pick<Evaluator, "name" | "better">,
): string | undefined {
  const best = better === "less" ? Math.min(...values) : Math.max(...values);
  const isWorse = (value: number) =>
    better === "less" ? value > WORSE * best : value < best / WORSE;
  const last = values.slice(-IN_A_ROW);
  if (last.length < IN_A_ROW || !last.every(isWorse)) return undefined;
  return `${name} has been worse than ${
    best.toPrecision(5)
  } ${IN_A_ROW} times: best.safetensors has ` +
    "that state, for --resume RUN --checkpoint best with lower --lr-g and --lr-d, or --augment";
}

/**
 * Evaluates the generator; the state with the best value so far is kept as `best.safetensors`.
 *
 * @returns The values by name, for the statistics, and a warning where they get worse.
 */
export async function evaluateNow(
  evaluator: Evaluator,
  { state, run, progress }: Evaluated,
): Promise<{ numbers: Record<string, number>; declined: string | undefined }> {
  const { images } = state;
  progress.pause();
  const earlier = (await readStats(run)).map((report) => report[evaluator.name])
    .filter((value) => typeof value === "number");
  const found = await evaluator.values(sampler(state)), value = found[evaluator.name];
  const before = evaluator.better === "less" ? Math.min(...earlier) : Math.max(...earlier);
  const best = evaluator.better === "less" ? value < before : value > before;
  const others = Object.entries(found).filter(([name]) => name !== evaluator.name)
    .map(([name, value]) => `, ${name} ${value.toPrecision(5)}`).join("");
  // The state first: statistics that name a best one which was never written would hide the next.
  if (best) await saveState(state, bestPath(run));
  progress.say(
    `Image ${images}: ${evaluator.name} ${value.toPrecision(5)}` +
      (best ? ", the best so far: kept as best.safetensors" : `, best ${before.toPrecision(5)}`) +
      others,
  );
  progress.pause();
  return { numbers: found, declined: declined([...earlier, value], evaluator) };
}
