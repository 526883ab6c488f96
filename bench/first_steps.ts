/**
 * Writes the first steps of a job that trains, for others to make as well: `bench/compare` has each
 * peer begin with the same weights, latents and images, and compares losses.
 *
 *     deno run -A bench/first_steps.ts --job dcgan-32 --batch 16 --out first.safetensors
 *
 * The file holds, in PyTorch's layouts, `init/{G,D}.<name>` weights and statistics before the first
 * step, `z` [T,N,nz], `real` [N,3,R,R] of all steps, `mix` [T,N] where it is needed, and `losses`
 * [T,3 or 4]: D-real, D-fake, G, penalty.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { toEntries } from "../nn/checkpoint.ts";
import { type Entry, saveSafetensors } from "../io/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { batches, training, trainingNames } from "./trainings.ts";
import { openGpu } from "../gpu/engines/deno.ts";

const STEPS = 3;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(words: string[]): Promise<number> {
  const args = parseArgs(words, { string: ["job", "batch", "out", "device"] });
  const job = String(args.job), batch = Number(args.batch ?? 16);
  if (!trainingNames.includes(job) || !(Number.isInteger(batch) && batch > 0) || !args.out) {
    console.error(
      `first_steps: expected --job ${trainingNames.join(", ")}, --batch N and --out FILE`,
    );
    return 2;
  }
  try {
    await openGpu({ choice: args.device as string | undefined });
    await saveSafetensors(String(args.out), await firstSteps(job, batch), { job });
  } catch (error) {
    console.error(`first_steps: ${(error as Error).message}`);
    return 1;
  }
  return 0;
}

async function firstSteps(job: string, batch: number): Promise<Map<string, Entry>> {
  const made = training(job), { real, next } = batches(made, batch), { G, D } = made.players;
  const entries = await toEntries([
    ...[...G.named()].map(([name, t]) => [`init/G.${name}`, t] as const),
    ...[...D.named()].map(([name, t]) => [`init/D.${name}`, t] as const),
  ]);
  const N = batch, R = made.resolution;
  entries.set("real", { dtype: "F32", shape: [N, 3, R, R], data: toNCHW(await real.read(), N, R) });
  const z: Tensor[] = [], mix: Tensor[] = [], losses: Tensor[] = [];
  for (let t = 0; t < STEPS; t++) {
    const given = next(), { dReal, dFake, g, penalty } = made.step(given);
    z.push(given.z);
    if (given.mix) mix.push(given.mix);
    losses.push(dReal, dFake, g, ...penalty ? [penalty] : []);
  }
  entries.set("z", await rows(z, [STEPS, N, made.nz]));
  if (mix.length) entries.set("mix", await rows(mix, [STEPS, N]));
  entries.set("losses", await rows(losses, [STEPS, losses.length / STEPS]));
  return entries;
}

async function rows(tensors: readonly Tensor[], shape: readonly number[]): Promise<Entry> {
  const parts = await Promise.all(tensors.map((t) => t.read()));
  return { dtype: "F32", shape, data: Float32Array.from(parts.flatMap((part) => [...part])) };
}

/** `[N, R, R, 3] -> [N, 3, R, R]`. */
function toNCHW(x: Float32Array, N: number, R: number): Float32Array {
  const y = new Float32Array(x.length), pixels = R * R;
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < pixels; i++) y[(n * 3 + c) * pixels + i] = x[(n * pixels + i) * 3 + c];
    }
  }
  return y;
}
