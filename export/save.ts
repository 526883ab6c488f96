/**
 * Writes what other programs read: a run's generator for PyTorch, and as an ONNX model.
 *
 * @module
 */
import { join } from "@std/path";
import { saveSafetensors } from "../io/safetensors.ts";
import { naming, writeAtomically } from "../io/write_atomically.ts";
import type { Stage } from "../models/stage.ts";
import type { Module } from "../nn/module.ts";
import type { TrainOptions } from "../train/options.ts";
import { VERSION } from "../train/version.ts";
import { graphOf } from "./graph.ts";
import { onnxModel } from "./onnx.ts";
import { torchModule, WEIGHTS } from "./torch.ts";
import { arraysOf } from "./weights.ts";

/** A generator to export. */
export interface Exported {
  readonly G: Module;
  readonly options: TrainOptions;
  readonly stage: Stage;
  /** Images that it was trained on. */
  readonly images: number;
}

/** Options without the places of files, which are nobody else's business. */
export function publicOptions({ data, ...options }: TrainOptions): TrainOptions {
  const name = data.split(/[\\/]/).at(-1)!;
  return { ...options, data: name, evalWeights: "" };
}

/** A line on where a generator comes from. */
export function aboutOf({ options: { recipe, preset, resolution }, images }: Exported): string {
  return `The generator of ${recipe} (preset ${preset}, ${resolution} px, ${
    images / 1000
  } kimg), ` +
    `exported by webgan ${VERSION}.`;
}

/**
 * Writes `generator.py` and its weights.
 *
 * @returns The files' paths.
 */
export async function saveTorch(exported: Exported, folder: string): Promise<string[]> {
  const { G, options, stage, images } = exported, graph = graphOf(G, options, stage);
  await Deno.mkdir(folder, { recursive: true });
  const weights = join(folder, WEIGHTS), text = join(folder, "generator.py");
  await saveSafetensors(weights, await arraysOf(graph), {
    format: "pt",
    webgan: VERSION,
    images: String(images),
    stage: JSON.stringify(stage),
    options: JSON.stringify(publicOptions(options)),
  });
  const bytes = new TextEncoder().encode(torchModule(graph, aboutOf(exported)));
  await naming(text, () => writeAtomically(text, bytes));
  return [weights, text];
}

/** Writes an ONNX model. */
export async function saveOnnx(exported: Exported, path: string): Promise<void> {
  const graph = graphOf(exported.G, exported.options, exported.stage);
  const about = { program: "webgan", version: VERSION, about: aboutOf(exported) };
  const bytes = onnxModel(graph, await arraysOf(graph), about);
  await naming(path, () => writeAtomically(path, bytes));
}
