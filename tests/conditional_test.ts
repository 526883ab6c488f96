/** Training in which G and D are told each image's class; PGGAN's with adaptive augmentation. */
import { join } from "@std/path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import type { Dataset } from "../data/pack.ts";
import { logitsOf } from "../nn/context.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { scoped, tensor } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { latentLength, oneHot, spread, withClasses } from "../train/classes.ts";
import { dcgan } from "../train/dcgan.ts";
import { TrainError } from "../train/errors.ts";
import type { TrainOptions } from "../train/options.ts";
import { pggan } from "../train/pggan.ts";
import { presetOptions, type Recipe } from "../train/recipe.ts";
import { r3gan } from "../train/r3gan.ts";
import { sagan } from "../train/sagan.ts";
import { samples } from "../train/sampling.ts";
import { grow, loadGenerator, loadState, newState, sampler, saveState } from "../train/state.ts";
import { checkOp } from "./check.ts";
import { datasetOf } from "./dataset.ts";
import { assertSame, inFolder } from "./support.ts";
await openGpu();

const C = 3;
const told = oneHot(Uint16Array.of(2, 0), 2, C);

Deno.test("oneHot has exactly a 1 in the class's column and 0 elsewhere", async () => {
  assertEquals([...await told.read()], [0, 0, 1, 1, 0, 0]);
});

Deno.test("spread gives each class its share, in order", () => {
  const list = (n: number, shares: number[]) =>
    Array.from({ length: n }, (_, i) => spread(n, shares)(i));
  assertEquals(list(6, [1, 1, 1]), [0, 0, 1, 1, 2, 2]);
  assertEquals(list(8, [1, 6, 1]), [0, 1, 1, 1, 1, 1, 1, 2]);
  assertEquals(list(4, [0, 1]), [1, 1, 1, 1]);
  assertEquals(spread(4, [1, 1])(6), spread(4, [1, 1])(2));
});

Deno.test("withClasses: a class is as long as random numbers are on average", async () => {
  const z = tensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 4]);
  assertEquals([...await withClasses(z, told).read()], [
    ...[1, 2, 3, 4, 0, 0, 2],
    ...[5, 6, 7, 8, 2, 0, 0],
  ]);
});

Deno.test("logitsOf: the first output plus that of the class, twice differentiable", () =>
  checkOp(
    (x) => logitsOf(x, { training: true, classes: told }),
    (x) => [0, 1].map((n) => x[n * 4] + x[n * 4 + (n === 0 ? 3 : 1)]),
    [[2, 1, 1, 1 + C]],
    { second: true },
  ));

Deno.test("logitsOf: without classes the first output alone", async () => {
  const x = tensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 4]);
  assertEquals([...await logitsOf(x, { training: true }).read()], [1, 5]);
});

const small = { resolution: 8, batch: 4, nz: 8, conditional: true, classes: "a,b,c", kimg: 1 };
const systems: readonly [Recipe, Partial<TrainOptions>][] = [
  [dcgan, { ngf: 8, ndf: 8, augment: "translation" }],
  [sagan, { ngf: 8, ndf: 8, attention: "4", loss: "wgan", gp: 10, accumulate: 2 }],
  [pggan, {
    ...{ fmapBase: 64, fmapMax: 8, phaseKimg: 0.016, lastKimg: 0.016, r1: 1, gp: 0, loss: "bce" },
    ...{ augment: "color,cutout", adaTarget: 0.4, adaKimg: 0.05 },
  }],
  [r3gan, { fmapBase: 64, fmapMax: 16 }],
];

function optionsOf([recipe, more]: (typeof systems)[number]): TrainOptions {
  return { ...presetOptions(recipe, "small"), ...small, ...more };
}

/** Labelled images: dark ones of class 0, to bright ones of the last. */
function labelled(resolution: number, classes = ["a", "b", "c"]): Dataset {
  const dataset = datasetOf(resolution), { count, pixels } = dataset;
  const of = Uint16Array.from({ length: count }, (_, i) => i % classes.length);
  const size = pixels.length / count, step = 255 / classes.length;
  const shaded = pixels.map((value, i) => step * (of[Math.floor(i / size)] + value / 256));
  return { ...dataset, pixels: shaded, labels: { classes, of } };
}

for (const system of systems) {
  const [recipe] = system, options = optionsOf(system);
  Deno.test(`${recipe.name}: a resumed conditional run is the unbroken run, bit for bit`, () =>
    inFolder(async (folder) => {
      const run = async (name: string, from: string | undefined, n: number) => {
        const state = newState(recipe, options);
        if (from) await loadState(state, join(folder, from));
        for (let i = 0; i < n; i++) {
          grow(state);
          scoped(() => void advance(state, labelled(state.stage.resolution)));
        }
        await saveState(state, join(folder, name));
        return Deno.readFileSync(join(folder, name));
      };
      await run("half", undefined, 3);
      assertSame(await run("a", "half", 4), await run("b", undefined, 7), "the checkpoint");
      const { entries } = await loadSafetensors(join(folder, "a"));
      assertEquals(entries.has("augment.probability"), options.adaTarget > 0);
      // The generator by itself, and each class's images: they differ.
      const { G } = await loadGenerator(recipe, options, join(folder, "a"));
      const made: string[] = [];
      for (let number = 0; number < 3; number++) {
        const sampling = { ...options, classOf: () => number };
        for await (const { bytes } of samples(G, sampling, 1, 0)) made.push(bytes.join());
      }
      assertEquals(new Set(made).size, 3);
    }));
}

Deno.test("a conditional DCGAN learns which class is dark and which is bright", async () => {
  const options = {
    ...optionsOf(systems[0]),
    augment: "none",
    classes: "dark,bright",
    ema: 0,
    lrG: 1e-3,
    lrD: 1e-3,
  };
  const state = newState(dcgan, options), dataset = labelled(8, ["dark", "bright"]);
  for (let i = 0; i < 150; i++) scoped(() => void advance(state, dataset));
  const means: number[] = [];
  for (const number of [0, 1]) {
    const sampling = { ...options, batch: 16, classOf: () => number };
    for await (const { bytes } of samples(sampler(state), sampling, 16, 0)) {
      means.push(bytes.reduce((sum, value) => sum + value, 0) / bytes.length);
    }
  }
  assert(means[0] < 110 && means[1] > 145, `means of dark ${means[0]}, of bright ${means[1]}`);
});

Deno.test("conditional training without names, or on images of other classes, is refused", () => {
  const options = optionsOf(systems[0]);
  assertThrows(() => newState(dcgan, { ...options, classes: "" }), TrainError, "needs names");
  const state = newState(dcgan, options),
    step = (data: Dataset) => scoped(() => advance(state, data));
  assertThrows(() => step(datasetOf(8)), TrainError, "test has no classes, expected a,b,c");
  assertThrows(() => step(labelled(8, ["a", "c", "b"])), TrainError, "the classes a,c,b, expected");
  assertEquals(latentLength(options), 11);
});
