import { imageChannels } from "../data/image.ts";
import { join } from "@std/path";
import { saveAnimation } from "../data/animation.ts";
import { savePng } from "../data/png.ts";
import { attentionSheets, type Point, standardPoints } from "../train/attention_sheet.ts";
import { scheduleOf } from "../train/growth.ts";
import type { Module } from "../nn/module.ts";
import type { TrainOptions } from "../train/options.ts";
import { kimgName } from "../run/run_folder.ts";
import { samples, type SamplingOptions, walk } from "../train/sampling.ts";
import { freeNetwork } from "../train/state.ts";
import { grid } from "../data/grid.ts";
import { classChosen, seedsChosen, truncationChosen } from "./chosen_latents.ts";
import { chosenGenerator } from "./chosen_generator.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse, type Values } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { teller } from "./teller.ts";
import { openGpu } from "../gpu/engines/deno.ts";

export const table: readonly Option[] = [
  { name: "count", kind: "count", help: "how many images", min: 1, max: 1_000_000 },
  { name: "seed", kind: "count", help: "other images for another seed" },
  { name: "class", kind: "text", help: "images of one class, where the networks know of classes" },
  {
    name: "seeds",
    kind: "text",
    help: "a seed for each image, as 0-15,40; it gives the same image always",
  },
  {
    name: "truncation",
    kind: "number",
    help:
      "what latents are multiplied by [1]: below 1 images vary less, and far below they may fade",
    min: 0,
    max: 2,
  },
  { name: "single", kind: "flag", help: "a file an image in the folder --to, not one grid" },
  {
    name: "interpolate",
    kind: "flag",
    help: "an animated grid, in which each image walks through latents and back",
  },
  {
    name: "stops",
    kind: "count",
    help: "latents that each comes through [4]",
    min: 2,
    max: 1000,
  },
  { name: "frames", kind: "count", help: "frames from one to the next [16]", min: 1, max: 1000 },
  { name: "fps", kind: "number", help: "frames a second [16]", min: 0.1, max: 60 },
  {
    name: "attention",
    kind: "flag",
    help: "where images look from some points, drawn over them: a sheet for each attention of G",
  },
  {
    name: "points",
    kind: "text",
    help: "those points, X+Y in pixels, as 16+20,8+8 [the centre and the quarters]",
  },
  { name: "checkpoint", kind: "text", help: "a file of the run, or best; by default its newest" },
  { name: "to", kind: "text", help: "file (or folder) to write; by default beside the run" },
  { name: "out", kind: "text", help: "folder of runs" },
  ...common,
];

const MOST_BYTES = 2 ** 30; // of an animation's frames, or a grid, in memory

const help = [
  "Makes images with the generator of a run.",
  "",
  "  gan sample latest                       a grid of 64",
  "  gan sample 3 --count 1000 --single --to images",
  "  gan sample model.safetensors            of an export, or a checkpoint by its path",
  "  gan sample latest --seeds 0-15,40       these images, always the same ones",
  "  gan sample latest --interpolate         16 that change into others, as an animated PNG",
  "  gan sample latest --attention           what attention looks at in 8 images",
  "",
  "Options [default]:",
  ...optionLines(table, {
    count: "64, with --interpolate 16, --attention 8",
    seed: 0,
    out: "runs",
  }),
].join("\n");

/** What is made of a generator, and how. */
interface Making {
  readonly values: Values;
  readonly run: string;
  readonly checkpoint: string;
  readonly G: Module;
  readonly options: TrainOptions & SamplingOptions;
  readonly count: number;
  readonly seed: number;
  /** What names of files tell of the images shown. */
  readonly kimg: string;
}

/** `gan sample`. Returns the exit code. */
export async function sampleCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const given = parse(args, table), { values } = given;
  if (values.help) {
    print(help);
    return 0;
  }
  refuseIdle(values);
  const seeds = seedsChosen(values.seeds as string | undefined);
  const { to, interpolate, attention, single } = values;
  await refusePlace(to as string | undefined, single === true);
  const { folder: run, file: checkpoint, options: saved, load } = await chosenGenerator(given);
  await openGpu({ choice: values.device as string | undefined });
  const { G, images } = await load();
  const { total, at } = scheduleOf(recipeOf(saved.recipe), saved), { batch } = at(total);
  const count = Number(values.count ?? seeds?.length ?? (interpolate ? 16 : attention ? 8 : 64)),
    seed = Number(values.seed ?? 0),
    kimg = kimgName(images, saved.snapshot);
  const making = {
    ...{ values, run, checkpoint, G, count, seed, kimg },
    options: {
      ...{ ...saved, batch, ...seeds && { seeds } },
      ...classChosen(saved, values.class as string | undefined),
      ...truncationChosen(saved, values.truncation as number | undefined),
    },
  };
  const make = interpolate ? makeWalk : attention ? makeSheets : single ? makeFiles : makeGrid;
  try {
    for (const path of await make(making)) {
      print(values.json ? JSON.stringify({ path, count, seed, checkpoint }) : path);
    }
  } finally {
    freeNetwork(G);
  }
  return 0;
}

/** Refuses options that would have no effect. */
function refuseIdle(values: Values): void {
  const walking = values.interpolate === true;
  if (walking && values.single) throw new UsageError("--interpolate makes one grid: no --single");
  const both = ["seed", "count", "interpolate"].find((name) => values[name] !== undefined);
  if (values.seeds !== undefined && both) {
    throw new UsageError(`--seeds names the images one by one: no --${both}`);
  }
  const looking = values.attention === true,
    other = ["single", "interpolate"].find((name) => values[name]);
  if (looking && other) throw new UsageError(`--attention makes sheets of its own: no --${other}`);
  if (values.points !== undefined && !looking) {
    throw new UsageError("--points is for maps of attention: add --attention");
  }
  const alone = ["stops", "frames", "fps"].find((name) => name in values && !walking);
  if (alone) throw new UsageError(`--${alone} is for animations: add --interpolate`);
}

/** Refuses a folder in the place of a file, and the reverse. */
async function refusePlace(to: string | undefined, single: boolean): Promise<void> {
  const there = to === undefined ? undefined : await Deno.stat(to).catch(() => undefined);
  if (there?.isDirectory && !single) {
    throw new UsageError(
      `--to ${to} is a folder: name a file, or add --single for a file an image`,
    );
  }
  if (there?.isFile && single) {
    throw new UsageError(`--to ${to} is a file: --single needs a folder`);
  }
}

function refuseLarge(bytes: number, what: string, advice: string): void {
  if (bytes > MOST_BYTES) throw new UsageError(`${what} do not fit in memory: ${advice}`);
}

async function makeWalk({ values, run, G, options, count, seed, kimg }: Making): Promise<string[]> {
  const stops = Number(values.stops ?? 4), frames = Number(values.frames ?? 16);
  const R = options.resolution;
  refuseLarge(
    count * R * R * imageChannels(options) * stops * frames,
    `${stops * frames} frames of ${count} images of ${R} pixels`,
    "give fewer with --count, --stops or --frames",
  );
  const sheets = [];
  for await (const pixels of walk(G, options, { count, stops, frames, seed })) {
    sheets.push(grid(pixels, count, R));
  }
  const to = String(values.to ?? join(run, `walk${kimg}-seed${seed}.png`));
  await saveAnimation(to, sheets, 1000 / Number(values.fps ?? 16));
  return [to];
}

async function makeSheets(making: Making): Promise<string[]> {
  const { values, run, G, options, count, seed, kimg } = making;
  if (count > 256) {
    throw new UsageError(`--attention --count ${count}: a sheet has up to 256 rows`);
  }
  const points = pointsOf(values.points as string | undefined, options.resolution);
  const to = String(values.to ?? join(run, `attention${kimg}-seed${seed}.png`));
  const sheets = await attentionSheets(G, options, count, seed, points);
  if (sheets.length === 0) {
    throw new UsageError(`${run} has no attention in G: train one with gan train sagan`);
  }
  const made: string[] = [];
  for (const [i, { path, sheet }] of sheets.entries()) {
    // With several, all but the first have their place in the name.
    made.push(i === 0 ? to : to.replace(/(\.\w+)?$/, `-${path}$1`));
    await savePng(made[i], sheet);
  }
  return made;
}

async function makeGrid({ values, run, G, options, count, seed, kimg }: Making): Promise<string[]> {
  const R = options.resolution, size = R * R * imageChannels(options);
  refuseLarge(
    2 * count * size,
    `A grid of ${count} images of ${R} pixels`,
    "add --single, or give fewer",
  );
  const to = String(values.to ?? join(run, `samples${kimg}-seed${seed}.png`));
  const pixels = new Uint8Array(count * size), tell = teller("images", count);
  for await (const { at, bytes } of samples(G, options, count, seed)) {
    pixels.set(bytes, at * size);
    tell(at + bytes.length / size);
  }
  await savePng(to, grid(pixels, count, R));
  return [to];
}

async function makeFiles(
  { values, run, G, options, count, seed, kimg }: Making,
): Promise<string[]> {
  const R = options.resolution, step = imageChannels(options), size = R * R * step;
  const { seeds } = options;
  const folder = String(values.to ?? join(run, `samples${kimg}-seed${seed}`));
  const nameOf = (i: number) => `${String(seeds?.[i] ?? i).padStart(6, "0")}.png`;
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) {
    const ours = /^\d+\.png$/.test(name) && (seeds || Number(name.slice(0, -4)) < count);
    if (ours || !/\.(png|jpe?g|webp|gif|bmp|tiff?)$/i.test(name)) continue;
    throw new UsageError(
      `--to ${folder} holds other images, such as ${name}: name another folder, or empty this one`,
    );
  }
  const tell = teller("images", count);
  for await (const { at, bytes } of samples(G, options, count, seed)) {
    const saved = Array.from({ length: bytes.length / size }, (_, i) => {
      const data = bytes.subarray(i * size, (i + 1) * size);
      return savePng(join(folder, nameOf(at + i)), { width: R, height: R, data, step });
    });
    await Promise.all(saved);
    tell(at + bytes.length / size);
  }
  return [folder];
}

/** Points such as `16+20,8+8`. */
function pointsOf(text: string | undefined, R: number): Point[] {
  if (text === undefined) return standardPoints(R);
  return text.split(",").map((part) => {
    const [, x, y] = /^(\d+)\+(\d+)$/.exec(part.trim()) ?? [];
    if (!(Number(x) < R && Number(y) < R)) {
      throw new UsageError(
        `--points ${text}: expected places in an image of ${R} pixels, as ${R / 2}+${R / 2}`,
      );
    }
    return { x: Number(x), y: Number(y) };
  });
}
