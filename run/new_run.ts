/**
 * Makes the folder of a new run.
 *
 * @module
 */
import { join } from "@std/path";
import { writeAtomically } from "../io/write_atomically.ts";
import { namesIn, RunError, runsIn } from "./run_folder.ts";

const CLAIM_MS = 600_000;

/** What a run's options.json tells of its beginning, beside the options. */
export interface Origin {
  readonly version: string;
  readonly device: string;
  /** The data's hash and count. */
  readonly data?: unknown;
  /** The command line's words. */
  readonly command: readonly string[];
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

/** Removes the claims of runs that were killed while they were made: nobody takes minutes for that. */
async function removeClaims(out: string): Promise<void> {
  for (const { name } of await runsIn(out)) {
    if (!/^\.\d+$/.test(name)) continue;
    const claim = join(out, name),
      { mtime } = await Deno.stat(claim).catch(() => ({ mtime: null }));
    if (!mtime || Date.now() - Number(mtime) < CLAIM_MS) continue;
    const isOurs = (await namesIn(claim)).every((name) => name.startsWith("options.json"));
    if (isOurs) await Deno.remove(claim, { recursive: true });
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
 * @param origin Written beside them.
 * @returns Path of the run's folder.
 * @throws {RunError} If the folder cannot be made.
 */
export async function createRun(
  out: string,
  title: string,
  options: object,
  origin?: Origin,
): Promise<string> {
  const suffix = title.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "");
  const text = new TextEncoder().encode(JSON.stringify({ ...options, origin }, null, 2) + "\n");
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
      await removeClaims(out);
      return run;
    }
  } catch (error) {
    throw new RunError(
      `run: cannot make a folder in ${out}: ${(error as Error).message}; choose another with --out`,
      { cause: error },
    );
  }
}
