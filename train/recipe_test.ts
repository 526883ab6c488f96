/** What presets are named for: the values that the papers and the thesis state. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { dcgan } from "./dcgan.ts";
import { defaults, optionTable, type TrainOptions } from "./options.ts";
import { pggan } from "./pggan.ts";
import { networkOptions, presetOptions, type Recipe, savedOptions } from "./recipe.ts";
import { r3gan } from "./r3gan.ts";
import { sagan } from "./sagan.ts";
import { TrainError } from "./errors.ts";
import { scheduleOf } from "./growth.ts";

const published: readonly [Recipe, string, Partial<TrainOptions>][] = [
  // PyTorch's example
  [dcgan, "original", {
    loss: "bce",
    labelSmoothing: 1,
    lrG: 2e-4,
    lrD: 2e-4,
    beta1: 0.5,
    beta2: 0.999,
    dSteps: 1,
    batch: 64,
    nz: 100,
    ngf: 64,
    ndf: 64,
    mirror: false,
    ema: 0,
  }],
  // Zhang et al. 2019, section 5
  [sagan, "paper", {
    loss: "hinge",
    lrG: 1e-4,
    lrD: 4e-4,
    beta1: 0,
    beta2: 0.9,
    dSteps: 1,
    spectralNorm: true,
    attention: "32",
    attentionReduction: 8,
    attentionValues: "half",
    attentionPool: true,
    minibatch: "none",
    normD: "none",
  }],
  // Karras et al. 2018, appendix A
  [pggan, "paper", {
    loss: "wgan",
    gp: 10,
    drift: 1e-3,
    lrG: 1e-3,
    lrD: 1e-3,
    beta1: 0,
    beta2: 0.99,
    dSteps: 1,
    nz: 512,
    fmapBase: 8192,
    fmapMax: 512,
    norm: "pixel",
    weights: "equalised",
    minibatch: "stddev",
    phaseKimg: 600,
    phaseFactor: 1,
    lastKimg: 600,
    mirror: true,
    ema: 0.999,
  }],
  // Huang et al. 2024, FFHQ at 64 pixels in their code
  [r3gan, "paper", {
    loss: "rsgan",
    r1: 2,
    r2: 2,
    r1Every: 1,
    gammaEnd: 0.1,
    lrG: 2e-4,
    lrD: 2e-4,
    lrEnd: 0.25,
    beta1: 0,
    beta2: 0.9,
    beta2End: 0.99,
    annealKimg: 20_000,
    batch: 256,
    dSteps: 1,
    nz: 64,
    fmapBase: 12_288,
    fmapMax: 768,
    blocks: 2,
    mirror: true,
  }],
  // Bychkov 2020
  [dcgan, "thesis", { loss: "bce", resolution: 32, resize: "nearest", mirror: false, ema: 0 }],
  [sagan, "thesis", {
    loss: "bce",
    labelSmoothing: 0.8,
    lrG: 9e-5,
    resolution: 32,
    resize: "nearest",
    mirror: false,
    ema: 0,
    spectralNorm: true,
    attentionReduction: 8,
    attentionValues: "full",
    attentionPool: false,
    minibatch: "discrimination",
    normD: "batch",
  }],
  [pggan, "thesis", {
    loss: "lsgan",
    labelSmoothing: 0.8,
    gp: 0,
    beta1: 0.5,
    beta2: 0.999,
    resolution: 64,
    resize: "nearest",
    mirror: false,
    ema: 0,
    norm: "batch",
    weights: "spectral",
    minibatch: "discrimination",
  }],
];
for (const [recipe, preset, stated] of published) {
  Deno.test(`${recipe.name} --preset ${preset} is what was published`, () =>
    assertEquals({ ...presetOptions(recipe, preset), ...stated }, presetOptions(recipe, preset)));
}

Deno.test("of the thesis's presets, SAGAN has two rates and PGGAN one", () => {
  const one = presetOptions(pggan, "thesis"), two = presetOptions(sagan, "thesis");
  assert(two.lrD > two.lrG && one.lrD === one.lrG);
});

Deno.test("PGGAN's batches halve above 16 pixels, as published, but not in the thesis", () => {
  const seen = (preset: string, sides: number[]) => {
    const { phases, at } = scheduleOf(pggan, { ...presetOptions(pggan, preset), resolution: 128 });
    return sides.map((side) =>
      at(phases.find(({ resolution }) => resolution === side)!.from).batch
    );
  };
  const sides = [4, 16, 32, 64, 128];
  assertEquals(seen("paper", sides), [128, 128, 64, 32, 16]);
  assertEquals(seen("thesis", sides), [64, 64, 64, 64, 64]);
});

Deno.test("what is saved of options is what the recipe uses, and with the defaults is all of them", () => {
  for (const recipe of [dcgan, sagan, pggan, r3gan]) {
    const all: object = presetOptions(recipe, "small");
    const saved = savedOptions(recipe, presetOptions(recipe, "small"));
    const special = Object.keys(saved).filter((name) => optionTable[name]?.special);
    assertEquals(new Set(special), new Set(recipe.options));
    assertEquals({ ...defaults, ...saved }, all);
  }
});

Deno.test("conditional training needs a class, one at least", () => {
  const options = { ...defaults, recipe: "dcgan", preset: "default", conditional: true };
  assertThrows(() => networkOptions(options), TrainError, "needs names of classes");
  assertEquals(networkOptions({ ...options, classes: "one" }).classCount, 1);
});
