/** Runs that break down: noticed before a checkpoint is written, and when one is read. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { CheckpointError } from "../io/errors.ts";
import { type Entry, loadSafetensors, saveSafetensors } from "../io/safetensors.ts";
import { dcgan } from "../train/dcgan.ts";
import { BreakdownError, TrainError } from "../train/errors.ts";
import { train } from "../train/loop.ts";
import { pggan } from "../train/pggan.ts";
import { r3gan } from "../train/r3gan.ts";
import { presetOptions, type Recipe } from "../train/recipe.ts";
import { sagan } from "../train/sagan.ts";
import { trainIn } from "./train_in.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { Progress } from "../run/progress.ts";
import {
  freeState,
  loadGenerator,
  loadState,
  newState,
  saveState,
  type State,
} from "../train/state.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { datasetOf } from "./dataset.ts";
import { assertSame, inFolder } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const options: TrainOptions = {
  ...defaults,
  recipe: "dcgan",
  preset: "default",
  resolution: 16,
  batch: 4,
  nz: 8,
  ngf: 4,
  ndf: 4,
  kimg: 0.024,
  snapshot: 0.012,
};

function runOf(folder: string, own: TrainOptions, state = newState(dcgan, own)) {
  return {
    state,
    dataset: datasetOf(own.resolution),
    run: folder,
    progress: new Progress({ style: "json", write: () => {} }),
  };
}

const checkpoints = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /^checkpoint/.test(name));

// One of each kind: weights, statistics of batch norm, the running average, both moments.
const TENSORS = [
  "G.output.weight",
  "D.blocks.1.norm.running_var",
  "average.blocks.0.conv.weight",
  "adam.G.m.output.weight",
  "adam.D.v.output.weight",
];

Deno.test("one NaN or infinity in any tensor of a checkpoint is found when it is read", () =>
  inFolder(async (folder) => {
    const good = join(folder, "good"), bad = join(folder, "bad");
    await saveState(newState(dcgan, options), good);
    await loadState(newState(dcgan, options), good);
    const { entries, metadata } = await loadSafetensors(good);
    for (const [i, name] of TENSORS.entries()) {
      const entry = entries.get(name)!, data = Float32Array.from(entry.data as Float32Array);
      data[data.length - 1] = i % 2 ? Infinity : NaN;
      const changed = new Map<string, Entry>([...entries, [name, { ...entry, data }]]);
      await saveSafetensors(bad, changed, metadata);
      const says = `${name} holds ${i % 2 ? "infinity" : "NaN"}`;
      for (
        const read of [
          () => loadState(newState(dcgan, options), bad),
          () => loadGenerator(dcgan, options, bad),
        ]
      ) {
        const { message } = await assertRejects(read, CheckpointError, says);
        assertStringIncludes(message, "--checkpoint");
      }
    }
  }));

Deno.test("no checkpoint is made of a state with one NaN in any tensor, and the last good one stays", () =>
  inFolder(async (folder) => {
    const good = join(folder, "good"), path = join(folder, "checkpoint");
    await saveState(newState(dcgan, options), good);
    for (const name of TENSORS) {
      const state = newState(dcgan, options);
      await Deno.copyFile(good, path);
      const { G, D, average, optG, optD } = state, [part, ...rest] = name.split(".");
      const within = (net: typeof G, path: string) =>
        [...net.named()].find(([name]) => name === path)![1];
      const t = part === "adam"
        ? { G, D, optG, optD }[`opt${rest[0]}` as "optG"].moments[
          (rest[0] === "G" ? G : D).parameters().indexOf(
            within(rest[0] === "G" ? G : D, rest.slice(2).join(".")),
          )
        ][rest[1] as "m"]
        : within({ G, D, average: average!.net }[part]!, rest.join("."));
      const values = await t.read();
      values[0] = NaN;
      t.write(values);
      await assertRejects(() => saveState(state, path), TrainError, `${name} holds NaN`);
      assertEquals(await Deno.readFile(path), await Deno.readFile(good), name);
    }
  }));

Deno.test("a NaN that no loss shows stops the run at its next snapshot", () =>
  inFolder(async (folder) => {
    const run = runOf(folder, options), { average } = run.state;
    const [, weight] = [...average!.net.named()].find(([name]) => name === "output.weight")!;
    const values = await weight.read();
    run.state.images = 1e6; // the average remembers
    values[0] = NaN;
    weight.write(values);
    run.state.images = 4;
    const error = await assertRejects(() => trainIn(run), TrainError);
    assertStringIncludes(error.message, "average.output.weight holds NaN");
    assertEquals(checkpoints(folder), []);
  }));

const tiny = { resolution: 8, batch: 4, nz: 8, kimg: 0.2 };
const channels = { fmapBase: 64, fmapMax: 8 };
/** Each system, small. */
const SYSTEMS: [Recipe, Partial<TrainOptions>][] = [
  [dcgan, { ...tiny, resolution: 16, ngf: 4, ndf: 4 }],
  [sagan, { ...tiny, resolution: 16, ngf: 8, ndf: 8, attention: "8" }],
  [pggan, { ...tiny, ...channels, phaseKimg: 0.2 }],
  [r3gan, { ...tiny, ...channels, blocks: 1 }],
];
for (const [i, [recipe, changed]] of SYSTEMS.entries()) {
  const own = { ...presetOptions(recipe, "default"), ...changed };
  /** Trains, and changes a weight after two steps; returns what the run ends with. */
  const broken = async (state: State, weight: Tensor, change: (values: Float32Array) => void) => {
    const stepped = async () => {
      if (state.images !== 2 * own.batch) return;
      const values = await weight.read();
      change(values);
      weight.write(values);
    };
    const dataset = datasetOf(own.resolution);
    const run = () => train({ state, dataset, observer: { stepped } });
    const { message } = await assertRejects(run, BreakdownError);
    await assertRejects(() => saveState(state, "never/written"), BreakdownError);
    assertStringIncludes(message, "--lr-g");
    return message;
  };
  const weightOf = (net: Module) => [...net.named()].find(([, t]) => net.parameters().includes(t))!;

  Deno.test(`${recipe.name}: a NaN among the weights of a network ends the run and is named`, async () => {
    const state = newState(recipe, own),
      net = i % 2 ? "G" : "D",
      [name, weight] = weightOf(state[net]);
    const message = await broken(state, weight, (values) => values.fill(NaN, 1, 2));
    assertStringIncludes(message, `: ${net}.${name} holds NaN or infinity;`);
    freeState(state);
  });

  // In half precision one with statistics and one without: the others take long to compile.
  for (const precision of recipe === dcgan || recipe === pggan ? ["f32", "f16"] : ["f32"]) {
    Deno.test(`${recipe.name}, ${precision}: where D overflows it stops, and the first op that did is named`, async () => {
      const state = newState(recipe, { ...own, precision }), [name, weight] = weightOf(state.D);
      let before: Float32Array | undefined;
      const message = await broken(state, weight, (values) => before = values.fill(3e38));
      assert(/: (the gradient of )?D\.\S+ holds NaN or infinity/.test(message), message);
      const op = recipe === sagan ? "spectralNorm" : "conv2d";
      assert(
        message.includes(`which began in ${op} [`) && message.includes(`] of D.${name};`),
        message,
      );
      assertSame(await weight.read(), before!, "D's weights");
      freeState(state);
    });
  }
}

const DIVERGING: Record<string, Partial<TrainOptions>> = {
  "rates of 1 with the Wasserstein loss": {
    loss: "wgan",
    lrG: 1,
    lrD: 1,
    kimg: 1,
    snapshot: 0.1,
    ndf: 8,
  },
  "decay of 1e38, of which Adam's second moments are infinite": { l2: 1e38, snapshot: 0.004 },
};
for (const [name, changed] of Object.entries(DIVERGING)) {
  Deno.test(`a run that diverges is not done: ${name}`, () =>
    inFolder(async (folder) => {
      const own = { ...options, ...changed, keep: 9 };
      const error = await assertRejects(() => trainIn(runOf(folder, own)), TrainError);
      assert(/holds (NaN|infinity)|diverged|is NaN or infinite/.test(error.message), error.message);
      assertStringIncludes(error.message, "--lr-g");
      for (const file of checkpoints(folder)) {
        await loadState(newState(dcgan, own), join(folder, file)); // finite, all of them
      }
    }));
}
