/**
 * One step of a preset's training at its true widths and resolution, held against PyTorch:
 * tests/oracle/presets.py says what the fixtures hold.
 */
import { assertEquals } from "@std/assert";
import { trim } from "../gpu/record.ts";
import { Adam } from "../nn/adam.ts";
import { fileShape, fromEntries, toEntries } from "../nn/checkpoint.ts";
import { free } from "../nn/flat.ts";
import type { Module } from "../nn/module.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom } from "../nn/random.ts";
import { type Entry, loadSafetensors } from "../io/safetensors.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { dcgan } from "../train/dcgan.ts";
import { losses } from "../train/losses.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { pggan } from "../train/pggan.ts";
import type { Recipe } from "../train/recipe.ts";
import { r3gan } from "../train/r3gan.ts";
import { sagan } from "../train/sagan.ts";
import { trainStep } from "../train/step.ts";
import { drawn } from "./drawn.ts";
import { fromNCHW, prefixed } from "./oracle.ts";
import { assertClose } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** A preset with a batch of `N`. */
export interface Case {
  readonly recipe: Recipe;
  readonly preset: string;
  readonly N: number;
  /** Up to where the networks have grown; to the preset's resolution if left out. */
  readonly grown?: number;
  /** Whether the last level is faded in, with a share of 0.3. */
  readonly fading?: boolean;
}

/**
 * DCGAN's `original` and SAGAN's `paper` differ from the default in mirrored images and the running average
 * only, PGGAN's `paper` in having twice the channels. The batch is a preset's own where it is for
 * machines without a GPU.
 */
export const CASES: readonly Case[] = [
  { recipe: dcgan, preset: "default", N: 16 },
  { recipe: dcgan, preset: "thesis", N: 32 },
  { recipe: dcgan, preset: "small", N: 32 },
  { recipe: sagan, preset: "default", N: 16 },
  { recipe: sagan, preset: "thesis", N: 16 },
  { recipe: sagan, preset: "small", N: 32 },
  { recipe: pggan, preset: "default", N: 4 },
  { recipe: pggan, preset: "r1", N: 4 },
  { recipe: pggan, preset: "thesis", N: 4 },
  // Before those at 32 pixels, as in a run: what is kept of these products must not serve for others.
  { recipe: pggan, preset: "small", N: 16, grown: 16 },
  { recipe: pggan, preset: "small", N: 8 },
  { recipe: pggan, preset: "small", N: 8, fading: true },
  { recipe: r3gan, preset: "default", N: 2 },
  { recipe: r3gan, preset: "small", N: 16 },
];

/** Those that are affordable by every plan. */
export const QUICK: readonly Case[] = CASES.filter(({ recipe, preset, grown, fading }) =>
  preset === "small" && (recipe === pggan ? grown === 16 : !fading) ||
  preset === "thesis" && recipe === sagan
);

/** What a run by this preset is a function of. */
export function optionsOf({ recipe, preset }: Case): TrainOptions {
  return { ...defaults, recipe: recipe.name, preset, ...recipe.presets[preset].options };
}

/** Registers the check of a preset's losses, gradients, running statistics and spectral vectors. */
export function checkPreset(given: Case): void {
  const { recipe, preset, grown, fading } = given;
  const name = [recipe.name, preset, ...grown ? [grown] : [], ...fading ? ["fading"] : []].join(
    "-",
  );
  Deno.test(`${name}: one step's losses and gradients are PyTorch's`, async () => {
    const path = new URL(`./fixtures/presets/${name}.safetensors`, import.meta.url).pathname;
    const { entries, metadata } = await loadSafetensors(path);
    const drawing = drawingOf(given, entries, metadata.seed);
    assertEquals(firsts(drawing), [...array(entries, "given")], "what is drawn is not PyTorch's");
    const { step, gradients, after, end } = trainer(given, drawing);
    try {
      const { dReal, dFake, g, penalty } = step();
      const read = [dReal, dFake, g, ...penalty ? [penalty] : []].map((t) => t.read());
      const [real, fake, ofG, beside = [0]] = await Promise.all(read);
      const found = [real, fake, ofG, beside].map(([value]) => value);
      assertClose("losses", found, array(entries, "losses"), LOSSES);
      await compare(gradients("grad", "G", "D"), entries, GRADIENTS);
      await compare(after, entries, STATISTICS);
      if (optionsOf(given).r1Every > 1) {
        step();
        await compare(gradients("between", "D"), entries, GRADIENTS);
      }
    } finally {
      end();
    }
  });
}

interface Drawing {
  readonly nets: Readonly<Record<"G" | "D", Module>>;
  /** Every tensor of both networks by its name, and its values as PyTorch has them. */
  readonly named: readonly [string, Tensor][];
  readonly values: ReadonlyMap<string, Entry>;
  readonly inputs: Readonly<Record<"z" | "real" | "labels" | "mix", Float32Array>>;
}

/** Draws weights and a batch as PyTorch's side does: see `value_of` and `inputs` there. */
function drawingOf(given: Case, entries: ReadonlyMap<string, Entry>, seed: string): Drawing {
  const { recipe, N, fading = false } = given, options = optionsOf(given);
  const { nz, labelSmoothing: low, weights } = options, R = given.grown ?? options.resolution;
  const stage = { resolution: R, fading, alpha: fading ? 0.3 : 1 };
  const nets = {
    G: recipe.G(options, hostRandom(1), stage),
    D: recipe.D(options, hostRandom(2), stage),
  };
  const named = [...prefixed("G.", nets.G), ...prefixed("D.", nets.D)];
  const draw = (name: string, count: number, value: Value) =>
    drawn(`${name} ${seed}`, count, value);
  const deviation = recipe === r3gan ? 0 : recipe === pggan && weights === "equalised" ? 1 : 0.02;
  const values = new Map(named.map(([name, t]) => {
    const shape = [...fileShape(t.shape)], bias = entries.get(`bias/${name}`);
    const data = bias?.data ?? draw(name, t.size, valueOf(name, shape, deviation));
    return [name, { dtype: "F32", shape, data } as Entry] as const;
  }));
  const inputs = {
    z: draw("z", N * nz, (u) => Math.sqrt(3) * u),
    real: draw("real", N * 3 * R * R, (u) => u),
    labels: draw("labels", N, low < 1 ? (u) => (1 + low) / 2 + (1 - low) / 2 * u : () => 1),
    mix: draw("mix", N, (u) => (u + 1) / 2),
  };
  return { nets, named, values, inputs };
}

type Value = (u: number) => number;

function valueOf(name: string, shape: Shape, deviation: number): Value {
  const last = name.split(".").at(-1)!;
  if (last === "T") return (u) => 0.3 * u;
  if (last === "gamma") return (u) => 0.5 + 0.1 * u;
  if (last === "running_var") return (u) => 1 + 0.5 * u;
  if (last.startsWith("weight") && shape.length > 1) {
    // By the fan-in, where it is 0. The last convolutions of R3GAN's blocks would be 0.
    const byFanIn = (name.includes("conv3") ? 0.3 : 1) / Math.sqrt(sizeOf(shape.slice(1)));
    const top = Math.sqrt(3) * (deviation || byFanIn);
    return (u) => top * u;
  }
  return last === "weight" ? (u) => 1 + 0.2 * u : (u) => 0.2 * u;
}

/** The first four elements of all that has as many, in the order of names. */
function firsts({ values, inputs }: Drawing): number[] {
  const weights = [...values].map(([name, { data }]) => [name, data as Float32Array] as const);
  return [...weights, ...Object.entries(inputs)].filter(([, { length }]) => length >= 4)
    .sort(([a], [b]) => a < b ? -1 : 1).flatMap(([, data]) => [...data.subarray(0, 4)]);
}

/**
 * What trains by a preset's losses and penalties. At a learning rate of 0 neither net changes, and with a decay
 * of 0 the optimisers' first moments are the gradients.
 */
function trainer(given: Case, { nets: { G, D }, named, values, inputs }: Drawing) {
  const { N } = given, options = optionsOf(given), { gp } = options;
  fromEntries(named, values, "what is drawn");
  const adam = { lr: 0, betas: [0, 0.99] } as const;
  const optG = new Adam(G.parameters(), adam), optD = new Adam(D.parameters(), adam);
  const spectraG = new PowerIteration(G), spectraD = new PowerIteration(D);
  const R = given.grown ?? options.resolution;
  const batch = {
    z: tensor(inputs.z, [N, options.nz]),
    real: tensor(fromNCHW(inputs.real, { N, R }), [N, R, R, 3]),
    labels: options.labelSmoothing < 1 ? tensor(inputs.labels, [N]) : 1,
    ...gp && { mix: tensor(inputs.mix, [N]) },
  };
  const moments = new Map(
    [optG, optD].flatMap((opt) => opt.params.map((t, i) => [t, opt.moments[i].m] as const)),
  );
  return {
    step: () =>
      trainStep({ G, D, optG, optD, spectraG, spectraD }, {
        loss: losses[options.loss],
        dSteps: options.dSteps,
        terms: given.recipe.terms(options),
        batch: () => batch,
      }),
    gradients: (folder: string, ...nets: string[]) =>
      named.filter(([name, t]) => t.isParam && nets.includes(name[0]))
        .map(([name, t]) => [`${folder}/${name}`, moments.get(t)!] as const),
    after: named.filter(([, t]) => !t.isParam).map(([name, t]) => [`after/${name}`, t] as const),
    end: () => {
      free(named.map(([, t]) => t));
      for (const opt of [optG, optD]) opt.free();
      trim();
    },
  };
}

// PyTorch's own float32 differs from its float64 by up to 1e-4 in a norm and in an element of gradients (of
// sagan-default: a maximum of four near ones), else by at most half of that.
const LOSSES = { rtol: 2e-5, atol: 2e-6 };
const GRADIENTS = { norm: 2e-4, element: 2e-4 };
const STATISTICS = { norm: 1e-5, element: 1e-5 };
const ZERO = 1e-12; // where D's last bias has no gradient: of a hinge loss in balance

/** Compares norms by their own size, and elements by the size of the largest. */
async function compare(
  named: readonly (readonly [string, Tensor])[],
  entries: ReadonlyMap<string, Entry>,
  within: { readonly norm: number; readonly element: number },
): Promise<void> {
  for (const [name, { data }] of await toEntries(named)) {
    const [norm, largest, ...expected] = array(entries, name), x = data as Float32Array;
    const length = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
    assertClose(`norm of ${name}`, [length], [norm], { rtol: within.norm, atol: ZERO });
    const elements = places(name, x.length).map((i) => x[i]);
    assertClose(name, elements, expected, { rtol: 0, atol: within.element * largest + ZERO });
  }
}

/** Where those elements lie that the fixture has of a tensor, in PyTorch's order. */
function places(name: string, count: number): number[] {
  const most = 256;
  if (count <= most) return [...Array(count).keys()];
  return [...drawn(`places in ${name}`, most, (u) => Math.floor((u + 1) / 2 * count))];
}

function array(entries: ReadonlyMap<string, Entry>, name: string): Float32Array {
  const entry = entries.get(name);
  if (!entry) throw new Error(`the fixture has no ${name}`);
  return entry.data as Float32Array;
}
