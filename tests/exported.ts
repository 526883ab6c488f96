/**
 * Generators to export, with weights that show every mistake, and the images that they make. Run as a
 * program, it writes them into a folder for tests/oracle/exported.py and tests/oracle/onnx.ts:
 *
 *     ./gan deno run -A tests/exported.ts /tmp/exported
 */
import { EVALUATION } from "../nn/context.ts";
import { join } from "@std/path";
import { type Exported, saveOnnx, saveTorch } from "../export/save.ts";
import { imageChannels } from "../data/image.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { saveSafetensors } from "../io/safetensors.ts";
import { upNearest } from "../kernels/resample.ts";
import { latentLength } from "../train/classes.ts";
import { stageOf } from "../train/growth.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom } from "../nn/random.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { dcgan } from "../train/dcgan.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { pggan } from "../train/pggan.ts";
import { networkOptions, type Recipe } from "../train/recipe.ts";
import { r3gan } from "../train/r3gan.ts";
import { sagan } from "../train/sagan.ts";

export const N = 3;

/** A generator, and images of latents. */
export interface Case extends Exported {
  readonly name: string;
  readonly latents: Float32Array;
  /** `[N, C, R, R]`. */
  readonly expected: Float32Array;
}

const narrow = { resolution: 16, nz: 6, ngf: 4, ndf: 4, fmapBase: 64, fmapMax: 8 };
const classes = { conditional: true, classes: "cat,dog" };
// Wide enough for groups, and narrower in the last level.
const grouped = { fmapBase: 128, fmapMax: 32 };

/** What a case is made of. */
export interface Asked {
  readonly name: string;
  readonly recipe: Recipe;
  readonly preset: string;
  readonly more?: Partial<TrainOptions>;
  readonly stage?: Parameters<typeof stageOf>;
}

/** What is tested: each system, and each of its parts in both ways. */
const CASES: readonly Asked[] = [
  { name: "dcgan", recipe: dcgan, preset: "default" },
  { name: "sagan", recipe: sagan, preset: "default", more: { attention: "8", ngf: 8 } },
  {
    name: "sagan-thesis",
    recipe: sagan,
    preset: "thesis",
    more: { attention: "8,4", spectralNorm: false },
  },
  {
    name: "sagan-residual",
    recipe: sagan,
    preset: "default",
    more: { residual: true, attention: "8,4" },
  },
  { name: "pggan", recipe: pggan, preset: "default" },
  { name: "pggan-thesis", recipe: pggan, preset: "thesis" },
  { name: "r3gan", recipe: r3gan, preset: "default", more: grouped },
  { name: "dcgan-gray", recipe: dcgan, preset: "default", more: { channels: "gray" } },
  {
    name: "sagan-classes",
    recipe: sagan,
    preset: "small",
    more: { ...classes, channels: "rgba", attention: "8" },
  },
  {
    name: "r3gan-classes",
    recipe: r3gan,
    preset: "default",
    more: { ...grouped, ...classes, channels: "gray" },
  },
  {
    name: "pggan-fading",
    recipe: pggan,
    preset: "default",
    more: { resolution: 32, channels: "rgba" },
    stage: [{ resolution: 16, fading: true, from: 0, images: 1 }, 0.3],
  },
];

/**
 * Moves every tensor: biases, averages, gamma and R3GAN's last convolutions, too, which begin at 0 or 1;
 * other weights by `gain`; `variance` is added to variances.
 */
async function stir(
  named: Iterable<readonly [string, Tensor]>,
  gain: number,
  variance: number,
): Promise<void> {
  const random = hostRandom(5);
  for (const [name, t] of named) {
    const vector = t.shape.length === 1 && !/_[uv]$/.test(name),
      above = /_var$/.test(name) ? variance : -0.5;
    const values = await t.read();
    const zeros = values.every((x) => x === 0);
    t.write(
      values.map((x) =>
        vector ? x + above + random.uniform() : zeros ? random.uniform() - 0.5 : gain * x
      ),
    );
  }
}

/** Builds them. */
export async function cases(): Promise<Case[]> {
  const made: Case[] = [];
  for (const one of CASES) made.push(await caseOf(one));
  return made;
}

/** Builds one. */
export async function caseOf({ name, recipe, preset, more, stage: at }: Asked): Promise<Case> {
  const options = {
    ...{ ...defaults, ...recipe.presets[preset].options, ...narrow, ...more },
    ...{ recipe: recipe.name, preset, data: "/home/someone/faces.zip" },
  };
  const whole = { resolution: options.resolution, fading: false, from: 0, images: 1 };
  const stage = stageOf(...at ?? [whole, 1] as const);
  const G = recipe.G(networkOptions(options), hostRandom(1), stage);
  const spectra = new PowerIteration(G);
  for (let i = 0; i < 15; i++) scoped(() => spectra.step());
  await stir(
    G.named(),
    recipe === pggan ? 0.5 : recipe === r3gan ? 0.5 : recipe === dcgan ? 20 : 5,
    recipe === pggan ? 6 : 0.2,
  );
  const nz = latentLength(options);
  const latents = Float32Array.from({ length: N * nz }, (_, i) => Math.sin(7 * i + 1));
  const z = tensor(latents, [N, nz]), factor = options.resolution / stage.resolution;
  const x = noGrad(() => upNearest(G.forward(z, EVALUATION), factor));
  const expected = toNCHW(await x.read(), options.resolution, imageChannels(options));
  return { name, G, options, stage, images: 4000, latents, expected };
}

/** `[N, R, R, C]` as `[N, C, R, R]`. */
export function toNCHW(x: Float32Array, R: number, C = 3): Float32Array {
  return Float32Array.from({ length: x.length }, (_, i) => {
    const n = Math.floor(i / (C * R * R)), c = Math.floor(i / (R * R)) % C;
    return x[(n * R * R + i % (R * R)) * C + c];
  });
}

/** Writes them, with latents and images, each into a folder of its own. */
export async function writeCases(to: string): Promise<void> {
  for (const made of await cases()) {
    const folder = join(to, made.name), { latents, expected, options } = made;
    await saveTorch(made, folder);
    await saveOnnx(made, join(folder, "generator.onnx"));
    const R = options.resolution, C = imageChannels(options);
    await saveSafetensors(
      join(folder, "expected.safetensors"),
      new Map([
        ["latents", { dtype: "F32", shape: [N, latents.length / N], data: latents }],
        ["images", { dtype: "F32", shape: [N, C, R, R], data: expected }],
      ]),
    );
  }
}

if (import.meta.main) {
  await openGpu();
  await writeCases(Deno.args[0]);
  Deno.exit(0);
}
