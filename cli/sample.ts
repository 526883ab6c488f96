import { join } from "@std/path";
import { openGpu } from "../gpu/device.ts";
import { savePng } from "../data/png.ts";
import { samples } from "../train/loop.ts";
import { findCheckpoint, findRun } from "../train/run_folder.ts";
import { loadGenerator } from "../train/state.ts";
import { grid } from "../data/grid.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse } from "./options.ts";
import { optionsOf, recipeOf } from "./recipes.ts";

const table: readonly Option[] = [
  { name: "count", kind: "count", help: "how many pictures", min: 1, max: 1_000_000 },
  { name: "seed", kind: "count", help: "other pictures for another seed" },
  { name: "single", kind: "flag", help: "a file a picture in the folder --to, not one grid" },
  { name: "checkpoint", kind: "text", help: "a checkpoint of the run; by default its newest" },
  { name: "to", kind: "text", help: "file (or folder) to write; by default beside the run" },
  { name: "out", kind: "text", help: "folder of runs" },
  ...common,
];

const help = [
  "Makes pictures with the generator of a run.",
  "",
  "  gan sample latest                       a grid of 64",
  "  gan sample 3 --count 1000 --single --to pictures",
  "",
  "Options [default]:",
  ...optionLines(table, { count: 64, seed: 0, out: "runs" }),
].join("\n");

/** `gan sample`. Returns the exit code. */
export async function sampleCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  if (rest.length > 1) throw new UsageError(`One run at a time, not ${rest.join(" and ")}`);
  const run = await findRun(String(values.out ?? "runs"), rest[0] ?? "latest");
  const options = await optionsOf(run);
  const path = values.checkpoint === undefined
    ? await findCheckpoint(run)
    : String(values.checkpoint);
  await openGpu(values.device as string | undefined);
  const { G, images } = await loadGenerator(recipeOf(options.recipe), options, path);
  const count = Number(values.count ?? 64), seed = Number(values.seed ?? 0);
  const kimg = String(Math.floor(images / 1000)).padStart(6, "0"),
    name = `samples${kimg}-seed${seed}`;
  const R = options.resolution, size = R * R * 3;
  if (!values.single) {
    const to = String(values.to ?? join(run, `${name}.png`));
    const pixels = new Uint8Array(count * size);
    for await (const { at, bytes } of samples(G, options, count, seed)) {
      pixels.set(bytes, at * size);
    }
    await savePng(to, grid(pixels, count, R));
    print(values.json ? JSON.stringify({ path: to, count, seed, checkpoint: path }) : to);
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
  print(values.json ? JSON.stringify({ path: folder, count, seed, checkpoint: path }) : folder);
  return 0;
}
