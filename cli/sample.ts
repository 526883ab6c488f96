import { join } from "@std/path";
import { openGpu } from "../gpu/device.ts";
import { saveAnimation } from "../data/animation.ts";
import { savePng } from "../data/png.ts";
import { attentionSheets, type Point, standardPoints } from "../train/attention_sheet.ts";
import { scheduleOf } from "../train/growth.ts";
import { findCheckpoint } from "../train/run_folder.ts";
import { samples, walk } from "../train/sampling.ts";
import { loadGenerator } from "../train/state.ts";
import { grid } from "../data/grid.ts";
import { chosenRun } from "./chosen_run.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { optionsOf } from "./run_options.ts";

const table: readonly Option[] = [
  { name: "count", kind: "count", help: "how many pictures", min: 1, max: 1_000_000 },
  { name: "seed", kind: "count", help: "other pictures for another seed" },
  { name: "single", kind: "flag", help: "a file a picture in the folder --to, not one grid" },
  {
    name: "interpolate",
    kind: "flag",
    help: "an animated grid, in which each picture walks through latents and back",
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
    help: "where pictures look from some points, drawn over them: a sheet for each attention of G",
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

const MOST_BYTES = 2 ** 30; // of an animation's frames in memory

const help = [
  "Makes pictures with the generator of a run.",
  "",
  "  gan sample latest                       a grid of 64",
  "  gan sample 3 --count 1000 --single --to pictures",
  "  gan sample latest --interpolate         16 that change into others, as an animated PNG",
  "  gan sample latest --attention           what attention looks at in 8 pictures",
  "",
  "Options [default]:",
  ...optionLines(table, {
    count: "64, with --interpolate 16, --attention 8",
    seed: 0,
    out: "runs",
  }),
].join("\n");

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
  const walking = values.interpolate === true;
  if (walking && values.single) throw new UsageError("--interpolate makes one grid: no --single");
  const looking = values.attention === true,
    other = ["single", "interpolate"].find((name) => values[name]);
  if (looking && other) throw new UsageError(`--attention makes sheets of its own: no --${other}`);
  if (values.points !== undefined && !looking) {
    throw new UsageError("--points is for maps of attention: add --attention");
  }
  const alone = ["stops", "frames", "fps"].find((name) => name in values && !walking);
  if (alone) throw new UsageError(`--${alone} is for animations: add --interpolate`);
  const run = await chosenRun(given);
  const saved = await optionsOf(run), recipe = recipeOf(saved.recipe);
  const path = await findCheckpoint(run, values.checkpoint as string | undefined);
  await openGpu(values.device as string | undefined);
  const { G, images } = await loadGenerator(recipe, saved, path);
  const { total, at } = scheduleOf(recipe, saved), { batch } = at(total);
  const options = { ...saved, batch };
  const count = Number(values.count ?? (walking ? 16 : looking ? 8 : 64)),
    seed = Number(values.seed ?? 0);
  const kimg = String(Math.floor(images / 1000)).padStart(6, "0");
  const R = options.resolution, size = R * R * 3;
  const done = (path_: string) =>
    print(values.json ? JSON.stringify({ path: path_, count, seed, checkpoint: path }) : path_);

  if (walking) {
    const stops = Number(values.stops ?? 4), frames = Number(values.frames ?? 16);
    if (count * size * stops * frames > MOST_BYTES) {
      throw new UsageError(
        `${stops * frames} frames of ${count} pictures of ${R} pixels do not fit in memory: ` +
          `give fewer with --count, --stops or --frames`,
      );
    }
    const sheets = [];
    for await (const pixels of walk(G, options, { count, stops, frames, seed })) {
      sheets.push(grid(pixels, count, R));
    }
    const to = String(values.to ?? join(run, `walk${kimg}-seed${seed}.png`));
    await saveAnimation(to, sheets, 1000 / Number(values.fps ?? 16));
    done(to);
    return 0;
  }
  if (looking) {
    if (count > 256) {
      throw new UsageError(`--attention --count ${count}: a sheet has up to 256 rows`);
    }
    const points = pointsOf(values.points as string | undefined, R);
    const to = String(values.to ?? join(run, `attention${kimg}-seed${seed}.png`));
    const sheets = await attentionSheets(G, options, count, seed, points);
    if (sheets.length === 0) {
      throw new UsageError(`${run} has no attention in G: train one with gan train sagan`);
    }
    for (const [i, { path, sheet }] of sheets.entries()) {
      // With several, all but the first have their place in the name.
      const own = i === 0 ? to : to.replace(/(\.\w+)?$/, `-${path}$1`);
      await savePng(own, sheet);
      done(own);
    }
    return 0;
  }
  const name = `samples${kimg}-seed${seed}`;
  if (!values.single) {
    const to = String(values.to ?? join(run, `${name}.png`));
    const pixels = new Uint8Array(count * size);
    for await (const { at, bytes } of samples(G, options, count, seed)) {
      pixels.set(bytes, at * size);
    }
    await savePng(to, grid(pixels, count, R));
    done(to);
    return 0;
  }
  const folder = String(values.to ?? join(run, name));
  await Deno.mkdir(folder, { recursive: true });
  for await (const { at, bytes } of samples(G, options, count, seed)) {
    for (let i = 0; i * size < bytes.length; i++) {
      const rgb = bytes.subarray(i * size, (i + 1) * size);
      const file = `${String(at + i).padStart(6, "0")}.png`;
      await savePng(join(folder, file), { width: R, height: R, rgb });
    }
  }
  done(folder);
  return 0;
}

/** Points such as `16+20,8+8`. */
function pointsOf(text: string | undefined, R: number): Point[] {
  if (text === undefined) return standardPoints(R);
  return text.split(",").map((part) => {
    const [, x, y] = /^(\d+)\+(\d+)$/.exec(part.trim()) ?? [];
    if (!(Number(x) < R && Number(y) < R)) {
      throw new UsageError(
        `--points ${text}: expected places in a picture of ${R} pixels, as ${R / 2}+${R / 2}`,
      );
    }
    return { x: Number(x), y: Number(y) };
  });
}
