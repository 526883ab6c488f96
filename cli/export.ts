import { dirname, join } from "@std/path";
import { savePage } from "../export/page.ts";
import { type Exported, saveOnnx, saveTorch } from "../export/save.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { findCheckpoint } from "../run/run_folder.ts";
import { loadGenerator } from "../train/state.ts";
import { chosenRun } from "./chosen_run.ts";
import { UsageError } from "./errors.ts";
import { type CardOptions, saveCard } from "./export_card.ts";
import { choose, common, type Option, optionLines, parse } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { optionsOf } from "./run_options.ts";

const KINDS = ["torch", "onnx", "page", "card"] as const;

type Kind = typeof KINDS[number];
/** Those that are one file. */
const FILES: Readonly<Record<string, string>> = {
  onnx: "generator.onnx",
  page: "generator.html",
};

export const table: readonly Option[] = [
  {
    name: "to",
    kind: "text",
    help: "folder (onnx, page: file) to write; by default in the run's folder",
  },
  { name: "checkpoint", kind: "text", help: "a file of the run, or best; by default its newest" },
  { name: "license", kind: "text", help: "card: what others may do with it, as mit" },
  {
    name: "metrics",
    kind: "text",
    help: "card: a file that gan eval all --run RUN --json printed",
  },
  { name: "out", kind: "text", help: "folder of runs" },
  ...common,
];

const help = [
  "Writes a run's generator for other programs.",
  "",
  "  gan export torch latest --to made     PyTorch: generator.py and model.safetensors",
  "  gan export onnx latest --to g.onnx    ONNX, operator set 17: from latents to images",
  "  gan export page latest --to g.html    one web page that makes images in a browser, by WebGPU",
  "  gan export card latest --to made --license mit --metrics eval.json",
  "                                        README.md and samples.png for model hubs",
  "",
  "Images are [N, 3, R, R] in [-1, 1] (what lies beyond is cut off), latents [N, nz] standard normal.",
  "",
  "Options [default]:",
  ...optionLines(table, { out: "runs", license: "unknown" }),
].join("\n");

/** `gan export`. Returns the exit code. */
export async function exportCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const { values, rest: [kind, ...rest] } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  if (!(KINDS as readonly string[]).includes(kind)) {
    throw new UsageError(
      kind === undefined
        ? `Name what to write: gan export ${KINDS.join("|")} RUN`
        : `gan export ${kind}${choose(kind, KINDS)}`,
    );
  }
  const foreign = ["license", "metrics"].find((name) => kind !== "card" && name in values);
  if (foreign) throw new UsageError(`--${foreign} is for gan export card`);
  const run = await chosenRun({ values, rest }), options = await optionsOf(run);
  const checkpoint = await findCheckpoint(run, values.checkpoint as string | undefined);
  await openGpu({ choice: values.device as string | undefined });
  const loaded = await loadGenerator(recipeOf(options.recipe), options, checkpoint);
  const exported: Exported = { ...loaded, options };
  const to = String(values.to ?? join(run, FILES[kind] ?? "export"));
  await refusePlace(to, kind);
  await Deno.mkdir(dirname(to), { recursive: true });
  const paths = await written(kind as Kind, exported, { run, checkpoint, to, values });
  for (const path of paths) {
    print(values.json ? JSON.stringify({ path, checkpoint, images: loaded.images }) : path);
  }
  return 0;
}

/** Writes one of the kinds; returns the paths. */
async function written(kind: Kind, exported: Exported, place: CardOptions): Promise<string[]> {
  switch (kind) {
    case "torch":
      return await saveTorch(exported, place.to);
    case "card":
      return await saveCard(exported, place);
    case "onnx":
      await saveOnnx(exported, place.to);
      return [place.to];
    case "page":
      await savePage(exported, place.to);
      return [place.to];
  }
}

async function refusePlace(to: string, kind: string): Promise<void> {
  const there = await Deno.stat(to).catch(() => undefined), file = FILES[kind];
  if (file && there?.isDirectory) {
    throw new UsageError(`--to ${to} is a folder: name a file, as ${join(to, file)}`);
  }
  if (!file && there?.isFile) {
    throw new UsageError(`--to ${to} is a file: ${kind} needs a folder`);
  }
}
