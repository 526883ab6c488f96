import { join } from "@std/path";
import { saveAnimation } from "../data/animation.ts";
import { decodeSamples } from "../data/decode.ts";
import type { Channels, Samples } from "../data/image.ts";
import { gridsOf, RunError } from "../run/run_folder.ts";
import { chosenRun } from "./chosen_run.ts";
import { optionsOf } from "./run_options.ts";
import { common, type Option, optionLines, parse } from "./options.ts";

export const table: readonly Option[] = [
  { name: "fps", kind: "number", help: "grids a second", min: 0.1, max: 60 },
  { name: "to", kind: "text", help: "file to write; by default timelapse.png in the run" },
  { name: "out", kind: "text", help: "folder of runs" },
  ...common.filter(({ name }) => name !== "device"),
];

const LAST_MS = 2000; // that the last grid is shown

const help = [
  "Shows how a run's images came to be: its grids, first to last, as an animated PNG.",
  "",
  "  gan timelapse latest",
  "",
  "Options [default]:",
  ...optionLines(table, { fps: 8, out: "runs" }),
].join("\n");

/** `gan timelapse`. Returns the exit code. */
export async function timelapseCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const given = parse(args, table), { values } = given;
  if (values.help) {
    print(help);
    return 0;
  }
  const run = await chosenRun(given);
  const grids = await gridsOf(run);
  if (grids.length === 0) {
    throw new RunError(`run: there is no grid in ${run} yet: train for longer`);
  }
  const { channels } = await optionsOf(run), frames: Samples[] = [];
  for (const { name } of grids) frames.push(await open(join(run, name), channels as Channels));
  const ms = 1000 / Number(values.fps ?? 8), to = String(values.to ?? join(run, "timelapse.png"));
  await saveAnimation(to, frames, frames.map((_, i) => i < frames.length - 1 ? ms : LAST_MS));
  print(values.json ? JSON.stringify({ path: to, frames: frames.length }) : to);
  return 0;
}

async function open(path: string, channels: Channels): Promise<Samples> {
  try {
    return decodeSamples(await Deno.readFile(path), undefined, channels);
  } catch (error) {
    throw new RunError(
      `run: cannot read ${path}: ${(error as Error).message}; remove it, and the rest is shown`,
    );
  }
}
