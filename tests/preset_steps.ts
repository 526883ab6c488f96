/**
 * Trains presets for some steps and prints, for each, a hash of all tensors: for fresh_process_test.ts and
 * determinism_test.ts.
 *
 * Each argument is `RECIPE/PRESET/BATCH`, with options behind it: `sagan/small/4/attention=16,8`.
 *
 * @module
 */
import { recipes } from "../cli/recipes.ts";
import { shrink } from "../data/shrink.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { scoped } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { freeState, grow, newState, saveState } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { openGpu } from "../gpu/engines/deno.ts";

const STEPS = 1; // in each phase

/** `small` as it is, but for R3GAN's; other presets with narrow networks at no more than 32 pixels, or 16 if they grow. */
function optionsOf(job: string): TrainOptions {
  const [name, preset, batch, ...changes] = job.split("/"), N = Number(batch);
  const full = { ...defaults, ...recipes[name].presets[preset].options, recipe: name, preset };
  const length = STEPS * N / 1000, grows = recipes[name].schedule !== undefined;
  const narrow = {
    resolution: Math.min(grows ? 16 : 32, full.resolution),
    ngf: 8,
    ndf: 8,
    fmapBase: 128,
    fmapMax: 16,
  };
  return {
    ...full,
    ...(preset !== "small" || name === "r3gan") && narrow,
    batch: N,
    accumulate: Math.min(full.accumulate, N / 2),
    kimg: grows ? 0 : length,
    phaseKimg: length,
    phaseFactor: 1,
    lastKimg: length,
    ...Object.fromEntries(changes.map(changed)),
  };
}

function changed(text: string): [name: string, value: string | number] {
  const [name, value] = text.split("=");
  const isNumber = typeof defaults[name as keyof typeof defaults] === "number";
  return [name, isNumber ? Number(value) : value];
}

async function hashAfter(job: string, folder: string): Promise<string> {
  const options = optionsOf(job), state = newState(recipes[options.recipe], options);
  const dataset = datasetOf(options.resolution);
  while (state.images < state.schedule.total) {
    grow(state);
    const shown = shrink(dataset, state.stage.resolution);
    scoped(() => void advance(state, shown));
  }
  const file = `${folder}/state.safetensors`;
  await saveState(state, file);
  freeState(state);
  const { entries } = await loadSafetensors(file);
  const bytes = [...entries.values()].map(({ data }) =>
    new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  );
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(bytes).arrayBuffer());
  return new Uint8Array(digest).toHex();
}

await openGpu();
const folder = await Deno.makeTempDir();
for (const job of Deno.args) console.log(`${job} ${await hashAfter(job, folder)}`);
await Deno.remove(folder, { recursive: true });
Deno.exit(); // an open device keeps the process alive
