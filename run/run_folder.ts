/**
 * The numbered folder that a run lives in: `OUT/00003-dcgan-celeba/`.
 *
 * It holds `options.json`, `stats.jsonl` (a line a report) and checkpoints named by their kimg.
 *
 * @module
 */
import { basename, join, resolve } from "@std/path";
import { closest } from "../train/closest.ts";
import { naming, writeAtomically } from "../io/write_atomically.ts";

/** A run, or something in its folder, that cannot be found or made; the message says what to do. */
export class RunError extends Error {
  override name = "RunError";
}

/** One line of `stats.jsonl`. */
export interface Report {
  /** Images shown up to here. */
  readonly images: number;
  readonly [name: string]: unknown;
}

const RUN = /^\.?(\d{5,})(-|$)/;
const GRID = /^fakes(\d{6,}(?:\.\d{3})?)\.png$/;
const CHECKPOINT = /^checkpoint-(\d{6,}(?:\.\d{3})?)\.safetensors$/;

/** The file of the plans by which a run computes its products and convolutions. */
export const RUN_PLANS = "plans.json";

/** Whether a file in a run's folder is one that training writes, by its name. */
export function isOwnFile(name: string): boolean {
  return GRID.test(name) || CHECKPOINT.test(name) ||
    ["options.json", "stats.jsonl", "reals.png", "report.html", "best.safetensors", RUN_PLANS]
      .includes(name);
}

/** The names in a folder, sorted; none if it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new RunError(`run: cannot look into ${folder}: ${(error as Error).message}`);
  }
}

/** The runs in a folder, lowest number first; with the claims of runs that are being made. */
export async function runsIn(out: string): Promise<{ number: number; name: string }[]> {
  const runs = (await namesIn(out)).flatMap((name) => {
    const match = RUN.exec(name);
    return match ? [{ number: Number(match[1]), name }] : [];
  });
  return runs.sort((a, b) => a.number - b.number);
}

/**
 * Finds a run.
 *
 * @param out Folder of all runs.
 * @param which `latest` for the latest that has a checkpoint (if none has, the latest), a number, a
 *   name in `out`, or the path of a run's folder.
 * @param say Told where there is a later run than `latest`.
 * @returns Path of the run's folder.
 * @throws {RunError} If there is no such run.
 */
export async function findRun(
  out: string,
  which: string,
  say: (text: string) => void = () => {},
): Promise<string> {
  const runs = (await runsIn(out)).filter(({ name }) => !name.startsWith("."));
  if (which === "latest" && runs.length > 0) return await latestOf(out, runs, say);
  if (/^\d+$/.test(which)) {
    const run = runs.find(({ number }) => number === Number(which));
    if (run) return join(out, run.name);
  }
  for (const path of [which, join(out, which)]) {
    if (which && (await namesIn(path)).includes("options.json")) return path;
  }
  const near = closest(which, runs.length > 0 ? ["latest", ...runs.map(({ name }) => name)] : []);
  const there = runs.length > 0
    ? `there are ${runs.slice(-8).map(({ name }) => name).join(", ")}`
    : `there are none yet (looked in ${resolve(out)})`;
  const asked = near === undefined ? there : `did you mean ${near}? ${capital(there)}`;
  throw new RunError(`run: there is no run "${which}" in ${out}: ${asked}`);
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

async function latestOf(
  out: string,
  runs: readonly { name: string }[],
  say: (text: string) => void,
): Promise<string> {
  const last = runs.at(-1)!.name;
  for (const { name } of runs.toReversed()) {
    const run = join(out, name);
    if ((await checkpointsIn(run)).length === 0) continue;
    if (name !== last) say(`${last} has no checkpoint: the latest run that has one is ${name}`);
    return run;
  }
  return join(out, last);
}

/**
 * The options that a run was made with.
 *
 * @param run Path of the run's folder.
 * @returns The record without its `origin`; its fields are not checked here.
 * @throws {RunError} If `options.json` is missing or broken.
 */
export async function readOptions(run: string): Promise<Record<string, unknown>> {
  const path = join(run, "options.json");
  let why;
  try {
    const options: unknown = JSON.parse(await Deno.readTextFile(path));
    if (typeof options === "object" && options !== null && !Array.isArray(options)) {
      const { origin: _, ...own } = options as Record<string, unknown>;
      return own;
    }
    why = "it is not a record";
  } catch (error) {
    why = error instanceof Deno.errors.NotFound ? "it is missing" : (error as Error).message;
  }
  throw new RunError(`run: cannot read ${path}: ${why}; restore it or start a new run`);
}

/**
 * Adds a line to `stats.jsonl`.
 *
 * @param run Path of the run's folder.
 * @param report What to write down.
 */
export async function appendStats(run: string, report: Report): Promise<void> {
  const line = JSON.stringify(report) + "\n", path = join(run, "stats.jsonl");
  await naming(path, () => Deno.writeTextFile(path, line, { append: true }));
}

/** As {@linkcode appendStats}, but adds to the last line, which is of as many images. */
export async function amendStats(run: string, report: Report): Promise<void> {
  const reports = await readStats(run), last = reports.pop();
  await writeStats(run, [...reports, { ...last, ...report }]);
}

async function writeStats(run: string, reports: readonly Report[]): Promise<void> {
  const text = reports.map((report) => JSON.stringify(report) + "\n").join("");
  await writeAtomically(join(run, "stats.jsonl"), new TextEncoder().encode(text));
}

/**
 * The lines of `stats.jsonl`. A last line that a crash cut short is left out, and so is one that does not
 * tell of how many images it is.
 *
 * @param run Path of the run's folder.
 * @returns Reports, first to last; none if there is no such file.
 */
export async function readStats(run: string): Promise<Report[]> {
  if (!(await namesIn(run)).includes("stats.jsonl")) return [];
  const text = await Deno.readTextFile(join(run, "stats.jsonl"));
  return text.split("\n").flatMap((line) => {
    try {
      const report = JSON.parse(line);
      return Number.isFinite(report?.images) ? [report] : [];
    } catch {
      return [];
    }
  });
}

/**
 * The grids of fakes in a run's folder, first to last.
 *
 * @param run Path of the run's folder.
 * @returns Their names there, and the thousands of images shown before.
 */
export async function gridsOf(run: string): Promise<{ name: string; kimg: number }[]> {
  const grids = (await namesIn(run)).flatMap((name) => {
    const match = GRID.exec(name);
    return match ? [{ name, kimg: Number(match[1]) }] : [];
  });
  return grids.sort((a, b) => a.kimg - b.kimg);
}

/** Whether a run's folder has the grid of these images. */
export async function hasGrid(run: string, images: number): Promise<boolean> {
  const names = [images / 1000, Math.floor(images / 1000)];
  return (await gridsOf(run)).some(({ kimg }) => names.includes(kimg));
}

/**
 * Drops what a run wrote after the checkpoint that it resumes from, so that its curve has no point
 * twice.
 *
 * @param run Path of the run's folder.
 * @param images Images shown at the checkpoint; reports up to here are kept.
 */
export async function trimStats(run: string, images: number): Promise<void> {
  await writeStats(run, (await readStats(run)).filter((report) => report.images <= images));
}

/**
 * What names of files tell of the images shown: whole thousands, with decimals where snapshots are
 * closer to one another.
 *
 * @param images Images shown.
 * @param snapshot Thousands of images between two snapshots.
 * @returns E.g. `000200`, or `000000.250`.
 */
export function kimgName(images: number, snapshot: number): string {
  const [whole, part] = (images / 1000).toFixed(3).split(".");
  return whole.padStart(6, "0") + (snapshot < 1 ? `.${part}` : "");
}

/** Where a grid of fakes goes: see {@linkcode kimgName}. */
export function gridPath(run: string, images: number, snapshot = 1): string {
  return join(run, `fakes${kimgName(images, snapshot)}.png`);
}

/**
 * Where a checkpoint goes: see {@linkcode kimgName}.
 *
 * @returns E.g. `checkpoint-000200.safetensors` in the run's folder.
 */
export function checkpointPath(run: string, images: number, snapshot = 1): string {
  return join(run, `checkpoint-${kimgName(images, snapshot)}.safetensors`);
}

/** Where the checkpoint goes that an evaluation found best so far; it is never removed. */
export function bestPath(run: string): string {
  return join(run, "best.safetensors");
}

/** Checkpoints in a run, oldest first. */
export async function checkpointsIn(run: string): Promise<string[]> {
  const kimgOf = (name: string) => Number(CHECKPOINT.exec(name)![1]);
  const names = (await namesIn(run)).filter((name) => CHECKPOINT.test(name));
  return names.sort((a, b) => kimgOf(a) - kimgOf(b)).map((name) => join(run, name));
}

/**
 * A checkpoint of a run.
 *
 * @param run Path of the run's folder.
 * @param which `best` for the one that an evaluation found best, a file's path or its name in the run;
 *   by default the newest.
 * @returns Its path.
 * @throws {RunError} If there is none.
 */
export async function findCheckpoint(run: string, which?: string): Promise<string> {
  if (which === undefined) {
    const newest = (await checkpointsIn(run)).at(-1);
    if (newest) return newest;
    throw new RunError(
      `run: there is no checkpoint in ${run} yet; start a new run, or name another`,
    );
  }
  for (const path of which === "best" ? [bestPath(run)] : [which, join(run, which)]) {
    if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
  }
  const names = (await checkpointsIn(run)).map((path) => basename(path));
  throw new RunError(
    which === "best"
      ? `run: ${run} has no best checkpoint: train with --eval-every to have it found`
      : `run: there is no checkpoint ${which} in ${run}: there are ${names.join(", ") || "none"}`,
  );
}

/**
 * Removes the checkpoints and grids that lie after the checkpoint that a run goes back to.
 *
 * @param run Path of the run's folder.
 * @param images Images shown there.
 */
export async function trimSnapshots(run: string, images: number): Promise<void> {
  for (const name of await namesIn(run)) {
    const kimg = (CHECKPOINT.exec(name) ?? GRID.exec(name))?.[1];
    if (kimg !== undefined && Number(kimg) > images / 1000) await Deno.remove(join(run, name));
  }
}

/**
 * Removes all but the newest checkpoints of a run.
 *
 * @param run Path of the run's folder.
 * @param count How many to keep; one at least.
 */
export async function keepLast(run: string, count: number): Promise<void> {
  const checkpoints = await checkpointsIn(run);
  for (const path of checkpoints.slice(0, -Math.max(1, count))) {
    await Deno.remove(path);
  }
}
