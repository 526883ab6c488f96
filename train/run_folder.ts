/**
 * The numbered folder that a run lives in: `OUT/00003-dcgan-celeba/`.
 *
 * It holds `options.json`, `stats.jsonl` (a line a report) and checkpoints named by their kimg.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { writeAtomically } from "../nn/write_atomically.ts";

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
const GRID = /^fakes(\d{6,})\.png$/;
const CHECKPOINT = /^checkpoint-(\d{6,})\.safetensors$/;

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new RunError(`run: cannot look into ${folder}: ${(error as Error).message}`);
  }
}

/** The runs in a folder, lowest number first; with the claims of runs that are being made. */
async function runsIn(out: string): Promise<{ number: number; name: string }[]> {
  const runs = (await namesIn(out)).flatMap((name) => {
    const match = RUN.exec(name);
    return match ? [{ number: Number(match[1]), name }] : [];
  });
  return runs.sort((a, b) => a.number - b.number);
}

async function makeNew(folder: string): Promise<boolean> {
  try {
    await Deno.mkdir(folder);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/**
 * Makes the folder of a new run, with its options in it, under the next free number.
 *
 * A number is claimed by making `.00003`, which only one process can, and the folder gets its name
 * when its options are in it. So two runs started at once differ in number, and no run is without
 * options.
 *
 * @param out Folder of all runs; made if it is not there.
 * @param title What comes after the number, e.g. `dcgan-celeba`.
 * @param options What the run is a function of; a plain record.
 * @returns Path of the run's folder.
 * @throws {RunError} If the folder cannot be made.
 */
export async function createRun(out: string, title: string, options: unknown): Promise<string> {
  const suffix = title.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "");
  const text = new TextEncoder().encode(JSON.stringify(options, null, 2) + "\n");
  try {
    await Deno.mkdir(out, { recursive: true });
    while (true) {
      const number = ((await runsIn(out)).at(-1)?.number ?? -1) + 1;
      const digits = String(number).padStart(5, "0");
      const claim = join(out, `.${digits}`);
      if (!await makeNew(claim)) continue;
      // Another run may have taken the number, and given its claim up, since we looked.
      if ((await runsIn(out)).some((run) => run.number === number && run.name !== `.${digits}`)) {
        await Deno.remove(claim);
        continue;
      }
      await writeAtomically(join(claim, "options.json"), text);
      const run = join(out, suffix ? `${digits}-${suffix}` : digits);
      await Deno.rename(claim, run);
      return run;
    }
  } catch (error) {
    throw new RunError(
      `run: cannot make a folder in ${out}: ${(error as Error).message}; choose another with --out`,
      { cause: error },
    );
  }
}

/**
 * Finds a run.
 *
 * @param out Folder of all runs.
 * @param which `latest`, a number, a name in `out`, or the path of a run's folder.
 * @returns Path of the run's folder.
 * @throws {RunError} If there is no such run.
 */
export async function findRun(out: string, which: string): Promise<string> {
  const runs = (await runsIn(out)).filter(({ name }) => !name.startsWith("."));
  if (which === "latest" && runs.length > 0) return join(out, runs.at(-1)!.name);
  if (/^\d+$/.test(which)) {
    const run = runs.find(({ number }) => number === Number(which));
    if (run) return join(out, run.name);
  }
  for (const path of [which, join(out, which)]) {
    if (which && (await namesIn(path)).includes("options.json")) return path;
  }
  const there = runs.length > 0
    ? `there are ${runs.slice(-8).map(({ name }) => name).join(", ")}`
    : "there are none yet";
  throw new RunError(`run: there is no run "${which}" in ${out}: ${there}`);
}

/**
 * The options that a run was made with.
 *
 * @param run Path of the run's folder.
 * @returns The record, whose fields are not checked here.
 * @throws {RunError} If `options.json` is missing or broken.
 */
export async function readOptions(run: string): Promise<Record<string, unknown>> {
  const path = join(run, "options.json");
  let why;
  try {
    const options: unknown = JSON.parse(await Deno.readTextFile(path));
    if (typeof options === "object" && options !== null && !Array.isArray(options)) {
      return options as Record<string, unknown>;
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
  const line = JSON.stringify(report) + "\n";
  await Deno.writeTextFile(join(run, "stats.jsonl"), line, { append: true });
}

/**
 * The lines of `stats.jsonl`. A last line that a crash cut short is left out.
 *
 * @param run Path of the run's folder.
 * @returns Reports, first to last; none if there is no such file.
 */
export async function readStats(run: string): Promise<Report[]> {
  if (!(await namesIn(run)).includes("stats.jsonl")) return [];
  const text = await Deno.readTextFile(join(run, "stats.jsonl"));
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line)];
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

/**
 * Drops what a run wrote after the checkpoint that it resumes from, so that its curve has no point
 * twice.
 *
 * @param run Path of the run's folder.
 * @param images Images shown at the checkpoint; reports up to here are kept.
 */
export async function trimStats(run: string, images: number): Promise<void> {
  const reports = await readStats(run);
  const kept = reports.filter((report) => report.images <= images);
  const text = kept.map((report) => JSON.stringify(report) + "\n").join("");
  await writeAtomically(join(run, "stats.jsonl"), new TextEncoder().encode(text));
}

/**
 * Where a checkpoint goes.
 *
 * @param run Path of the run's folder.
 * @param images Images shown; the name has whole thousands of them.
 * @returns E.g. `checkpoint-000200.safetensors` in it.
 */
export function checkpointPath(run: string, images: number): string {
  const kimg = String(Math.floor(images / 1000)).padStart(6, "0");
  return join(run, `checkpoint-${kimg}.safetensors`);
}

/** Where the checkpoint goes that an evaluation found best so far; it is never removed. */
export function bestPath(run: string): string {
  return join(run, "best.safetensors");
}

/** Checkpoints in a run, oldest first. */
async function checkpointsIn(run: string): Promise<string[]> {
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
      ? `run: ${run} has no best checkpoint: train with --fid-every to have it found`
      : `run: there is no checkpoint ${which} in ${run}: there are ${names.join(", ") || "none"}`,
  );
}

/**
 * Removes the checkpoints that lie after the one that a run goes back to.
 *
 * @param run Path of the run's folder.
 * @param images Images shown there.
 */
export async function trimCheckpoints(run: string, images: number): Promise<void> {
  const last = checkpointPath(run, images), all = await checkpointsIn(run);
  for (const path of all) {
    if (Number(CHECKPOINT.exec(basename(path))![1]) > Number(CHECKPOINT.exec(basename(last))![1])) {
      await Deno.remove(path);
    }
  }
}

/**
 * Removes all but the newest checkpoints of a run.
 *
 * @param run Path of the run's folder.
 * @param count How many to keep.
 */
export async function keepLast(run: string, count: number): Promise<void> {
  const checkpoints = await checkpointsIn(run);
  for (const path of checkpoints.slice(0, Math.max(0, checkpoints.length - count))) {
    await Deno.remove(path);
  }
}
