/**
 * `gan runs`: what has been trained here, and `gan runs rm` to remove it.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { scheduleOf } from "../train/growth.ts";
import { lockRun } from "../run/lock.ts";
import type { TrainOptions } from "../train/options.ts";
import {
  checkpointsIn,
  findRun,
  readOptions,
  readStats,
  RunError,
  runsIn,
} from "../run/run_folder.ts";
import { UsageError } from "./errors.ts";
import { choose, common, type Option, optionLines, parse } from "./options.ts";
import { recipes } from "./recipes.ts";
import { aligned, mayRemove, readable, sizeOfFolder } from "./sizes.ts";

export const table: readonly Option[] = [
  { name: "out", kind: "text", help: "folder of runs" },
  { name: "yes", kind: "flag", help: "rm: do not ask" },
  ...common.filter(({ name }) => name !== "device"),
];

const help = [
  "Lists the runs: system, data, size of the images, thousands of images shown, the best",
  "evaluation, state and size on disk.",
  "",
  "  gan runs             all",
  "  gan runs rm 3 4      removes runs 3 and 4, after asking",
  "",
  "Options [default]:",
  ...optionLines(table, { out: "runs" }),
].join("\n");

/** What is known of a run without opening a device. */
export interface RunSummary {
  /** Name of its folder. */
  readonly run: string;
  readonly state: "training" | "finished" | "stopped" | "no checkpoint" | "unreadable";
  readonly system?: string;
  readonly data?: string;
  readonly resolution?: number;
  /** Thousands of images shown, and planned. */
  readonly kimg?: number;
  readonly planned?: number;
  /** The least value of an evaluation, and its name. */
  readonly best?: { readonly metric: string; readonly value: number };
  readonly bytes: number;
}

/** Looks at a run's folder; one that cannot be understood is listed all the same. */
export async function summaryOf(folder: string): Promise<RunSummary> {
  const run = basename(folder), bytes = await sizeOfFolder(folder);
  try {
    const options = await readOptions(folder), recipe = recipes[String(options.recipe)];
    if (!recipe) return { run, state: "unreadable", bytes };
    const stats = await readStats(folder), images = stats.at(-1)?.images ?? 0;
    const planned = scheduleOf(recipe, options as unknown as TrainOptions).total;
    const evaluations = stats.flatMap((report) =>
      Object.entries(report).filter(([name]) => /^FID(-\d+)?$/.test(name))
    );
    const best = evaluations.sort(([, a], [, b]) => Number(a) - Number(b))[0];
    return {
      run,
      state: await isTraining(folder)
        ? "training"
        : (await checkpointsIn(folder)).length === 0
        ? "no checkpoint"
        : images >= planned
        ? "finished"
        : "stopped",
      system: recipe.name,
      data: options.data ? basename(String(options.data)) : "built-in emoji",
      resolution: Number(options.resolution),
      kimg: images / 1000,
      planned: planned / 1000,
      ...best && { best: { metric: best[0], value: Number(best[1]) } },
      bytes,
    };
  } catch (error) {
    if (error instanceof RunError) return { run, state: "unreadable", bytes };
    throw error;
  }
}

async function isTraining(folder: string): Promise<boolean> {
  const path = join(folder, ".lock");
  const there = await Deno.stat(path).then(({ isFile }) => isFile).catch(() => false);
  if (!there) return false;
  using file = await Deno.open(path, { read: true });
  return !await file.tryLock(false).catch(() => true);
}

function tableOf(summaries: readonly RunSummary[]): string[] {
  const rows = summaries.map((
    { run, system, data, resolution, kimg, planned, best, state, bytes },
  ) => [
    run,
    system ?? "",
    data ?? "",
    resolution === undefined ? "" : `${resolution} px`,
    kimg === undefined ? "" : `${kimg.toFixed(1)}/${planned}`,
    best ? `${best.metric} ${best.value.toPrecision(3)}` : "",
    state,
    readable(bytes),
  ]);
  const head = ["run", "system", "data", "size", "kimg", "best", "state", "on disk"];
  return aligned([head, ...rows], new Set([3, 4, 7]));
}

async function remove(
  out: string,
  which: readonly string[],
  yes: boolean,
  print: (line: string) => void,
) {
  if (which.length === 0) throw new UsageError("Name the runs to remove: gan runs rm 3 4");
  const names = new Set((await runsIn(out)).map(({ name }) => name));
  for (const each of which) {
    // A number or a name, never a path or `latest`: what is removed should have been looked at.
    const name = basename(
      await findRun(out, /^\d+$/.test(each) || names.has(each) ? each : "")
        .catch((error) => {
          throw new RunError(error.message.replace('""', `"${each}"`));
        }),
    );
    const folder = join(out, name);
    using _lock = await lockRun(folder);
    const size = readable(await sizeOfFolder(folder));
    if (!mayRemove(`${folder} (${size})`, yes)) {
      throw new UsageError(`${folder} was not removed: answer y, or give --yes`);
    }
    await Deno.remove(folder, { recursive: true });
    print(`Removed ${folder} (${size})`);
  }
}

/** `gan runs`. Returns the exit code. */
export async function runsCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest: [verb, ...which] } = parse(args, table), out = String(values.out ?? "runs");
  if (values.help) {
    print(help);
  } else if (verb === "rm") {
    await remove(out, which, values.yes === true, print);
  } else if (verb !== undefined) {
    throw new UsageError(`There is no gan runs ${verb}${choose(verb, ["rm"])}`);
  } else {
    const all = (await runsIn(out)).filter(({ name }) => !name.startsWith("."));
    const summaries: RunSummary[] = [];
    for (const { name } of all) summaries.push(await summaryOf(join(out, name)));
    if (values.json) { for (const summary of summaries) print(JSON.stringify(summary)); }
    else if (summaries.length) { for (const line of tableOf(summaries)) print(line); }
    else print(`There are no runs in ${out} yet: gan train dcgan makes one`);
  }
  return 0;
}
