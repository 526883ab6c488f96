/**
 * What is read from the statistics of a finished run.
 *
 * @module
 */
import { labelOf, metricOf } from "../../eval/metrics/registry.ts";
import type { Report } from "../../run/run_folder.ts";
import type { MeasureName } from "./experiments.ts";
import { mean } from "./verdict.ts";

/** A number of a run. */
export interface Measure {
  readonly title: string;
  readonly better: "less" | "more";
  /** Undefined where the statistics do not tell it. */
  readonly of: (stats: readonly Report[]) => number | undefined;
}

/** The measures by their names; `feature` is Inception's, in which images are compared. */
export function measuresOf(feature: string): Readonly<Record<MeasureName, Measure>> {
  const label = labelOf(metricOf("fid")!, feature);
  return {
    fid: { title: label, better: "less", of: (stats) => last(stats, label) },
    rise: { title: "rise of G's loss", better: "less", of: rise },
    diversity: {
      title: "diversity",
      better: "more",
      of: (stats) => last(stats, "diversity/pixels"),
    },
    minutes: { title: "minutes at its fastest", better: "less", of: minutes },
  };
}

/** The number of that name at the end, and at no other time. */
function last(stats: readonly Report[], name: string): number | undefined {
  const value = stats.at(-1)?.[name];
  return typeof value === "number" ? value : undefined;
}

/** What all images would take at a run's fastest pace: other work beside it, and pauses, count little. */
function minutes(stats: readonly Report[]): number | undefined {
  const timed = stats.filter((line): line is Report & { time: number } =>
    typeof line.time === "number"
  );
  const paces = timed.slice(1).flatMap(({ images, time }, i) =>
    images > timed[i].images ? [(time - timed[i].time) / (images - timed[i].images)] : []
  );
  return paces.length ? Math.min(...paces) * stats.at(-1)!.images / 60 : undefined;
}

/** Mean of G's loss over the last quarter of the images, less that over the second quarter. */
function rise(stats: readonly Report[]): number | undefined {
  const total = stats.at(-1)?.images ?? 0;
  const quarter = (n: number) =>
    stats.filter(({ images, g }) =>
      typeof g === "number" && images > total * (n - 1) / 4 && images <= total * n / 4
    ).map(({ g }) => g as number);
  const [early, late] = [quarter(2), quarter(4)];
  return early.length && late.length ? mean(late) - mean(early) : undefined;
}
