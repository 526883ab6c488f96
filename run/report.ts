/**
 * A run as a page: its grids, its curves, its options. The page is one file that loads nothing but
 * the grids beside it, so it also opens from a disk or a mailbox.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "@std/path";
import chartScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import chartStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { writeAtomically } from "../io/write_atomically.ts";
import page from "./report.html" with { type: "text" };
import { gridsOf, readStats, type Report } from "./run_folder.ts";

/** Curves that share their axes. */
export interface Chart {
  readonly title: string;
  /** Thousands of images. */
  readonly x: readonly number[];
  /** A height for each `x`; null where none was measured. */
  readonly curves: readonly { readonly label: string; readonly y: readonly (number | null)[] }[];
}

const POINTS = 500; // of a curve; more would be a band of noise

/** Reports that belong into one chart, by their names; what has a `/` goes by what is before it. */
const LOSSES: Readonly<Record<string, string>> = { dReal: "D, real", dFake: "D, fake", g: "G" };
const TITLES: Readonly<Record<string, string>> = {
  losses: "Losses",
  penalty: "Penalty on D",
  scale: "Loss scale (--precision f16)",
  augment: "Probability of each augmentation",
  diversity: "Diversity of fakes, in proportion to real images'",
  gamma: "Attention's share, gamma",
  entropy: "Attention's entropy (1: looks everywhere alike)",
  sigma: "Largest singular values",
};
const LEFT_OUT = ["images", "time", "resolution"];

/**
 * The charts that a run's reports give.
 *
 * @param reports First to last; means are taken of some at a time where there are many.
 */
export function chartsOf(reports: readonly Report[]): Chart[] {
  const names = new Set(reports.flatMap(Object.keys).filter((name) => !LEFT_OUT.includes(name)));
  const groups = Map.groupBy(
    names,
    (name) => Object.hasOwn(LOSSES, name) ? "losses" : name.split("/", 1)[0],
  );
  return [...groups].map(([group, names]) => {
    const having = reports.filter((report) => names.some((name) => name in report));
    const size = Math.ceil(having.length / POINTS);
    const parts = Array.from(
      { length: Math.ceil(having.length / size) },
      (_, i) => having.slice(i * size, (i + 1) * size),
    );
    return {
      title: TITLES[group] ?? group,
      x: parts.map((part) => part.at(-1)!.images / 1000),
      curves: names.map((name) => ({
        label: LOSSES[name] ?? name.slice(name.indexOf("/") + 1),
        y: parts.map((part) => meanOf(part.map((report) => report[name]))),
      })),
    };
  });
}

function meanOf(values: readonly unknown[]): number | null {
  const numbers = values.filter((value) => typeof value === "number");
  return numbers.length > 0 ? numbers.reduce((a, b) => a + b) / numbers.length : null;
}

/**
 * Writes `report.html` into a run's folder.
 *
 * @param run Path of the run's folder.
 * @param options What the run was made with; a plain record.
 * @returns The page's path.
 */
export async function writeReport(
  run: string,
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  const reports = await readStats(run);
  const images = reports.at(-1)?.images ?? 0;
  const data = {
    name: basename(run),
    summary: `${options.recipe}, preset ${options.preset}, ${options.resolution} px, ` +
      `${images.toLocaleString("en")} images shown`,
    grids: (await gridsOf(run)).map(({ name, kimg }) => ({
      file: name,
      images: Math.round(1000 * kimg),
    })),
    charts: chartsOf(reports),
    options,
  };
  // A replacement that is a function: "$&" in a library's code means nothing then.
  const filled = page
    .replace('<style id="chart-style">', (tag) => tag + chartStyle)
    .replace('<script id="chart">', (tag) => tag + chartScript)
    .replace('id="data">', (tag) => tag + JSON.stringify(data).replaceAll("<", "\\u003c"));
  const path = join(run, "report.html");
  const safe = filled.replace("$HASHES", () => hashesOf(filled).join(" "));
  await writeAtomically(path, new TextEncoder().encode(safe));
  return path;
}

/** Of a page's scripts, as its policy names them: no other runs. */
function hashesOf(page: string): string[] {
  const scripts = [...page.matchAll(/<script(?: id="chart")?>(.*?)<\/script>/gs)];
  return scripts.map(([, code]) =>
    `'sha256-${createHash("sha256").update(code).digest("base64")}'`
  );
}
