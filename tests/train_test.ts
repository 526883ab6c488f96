/** Training as a whole: resume, memory, and what a run leaves behind. */
import { join } from "@std/path";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { idle } from "../gpu/record.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { scoped } from "../tensor/tensor.ts";
import { dcgan } from "../train/dcgan.ts";
import { advance, decay } from "../train/advance.ts";
import { TrainError } from "../train/errors.ts";
import { trainIn } from "./train_in.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { plan } from "../train/plan.ts";
import { Progress } from "../run/progress.ts";
import { findCheckpoint, readStats } from "../run/run_folder.ts";
import { loadState, newState, saveState, type State } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { assertClose, assertSame } from "./support.ts";
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
  labelSmoothing: 0.8,
  dSteps: 1,
};
const dataset = datasetOf(options.resolution);
const quiet = () => new Progress({ style: "json", write: () => {} });

function runOf(folder: string, changed: Partial<TrainOptions> = {}) {
  const own = { ...options, ...changed };
  return {
    state: newState(dcgan, own),
    dataset,
    run: folder,
    progress: quiet(),
  };
}

for (const changed of [{ dSteps: 1 }, { dSteps: 2 }, { precision: "f16" }]) {
  const own = { ...options, ...changed };
  Deno.test(`a resumed run is the unbroken run, bit for bit ${JSON.stringify(changed)}`, async () => {
    const folder = await Deno.makeTempDir();
    const steps = (state: State) => {
      for (let i = 0; i < 3; i++) scoped(() => void advance(state, dataset));
    };
    try {
      const straight = newState(dcgan, own);
      steps(straight);
      steps(straight);
      const first = newState(dcgan, own);
      steps(first);
      await saveState(first, join(folder, "half"));
      const second = { ...newState(dcgan, { ...own, seed: 77 }), options: own }; // weights come from the file
      await loadState(second, join(folder, "half"));
      steps(second);
      await saveState(straight, join(folder, "a"));
      await saveState(second, join(folder, "b"));
      const [a, b] = ["a", "b"].map((name) => Deno.readFileSync(join(folder, name)));
      assertSame(b, a, "the resumed run's checkpoint");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("the average forgets faster while a run is young", () => {
  assertEquals(decay(0.999, 0, 64), 0); // a copy at first
  assertAlmostEquals(decay(0.999, 10_000, 500), 0.5); // half-life 5% of 10,000
  assertAlmostEquals(decay(0.999, 1e9, 64), 0.999);
  assertAlmostEquals(decay(0.999, 1e9, 32), Math.sqrt(0.999));
});

Deno.test("the average counts every image of a step in which D has several", async () => {
  for (const [dSteps, shown] of [[1, 4], [2, 8]]) {
    const own = { ...options, dSteps }, state = newState(dcgan, own);
    state.images = 10_000;
    const values = (net = state.G) => Promise.all(net.parameters().map((t) => t.read()));
    const before = await values();
    scoped(() => void advance(state, dataset));
    const after = await values(), average = await values(state.average!.net);
    const k = decay(own.ema, 10_000, shown);
    for (const [i, got] of average.entries()) {
      assertClose(
        `parameter ${i}, ${dSteps} steps of D`,
        got.map((e, j) => e - before[i][j]),
        after[i].map((e, j) => (1 - k) * (e - before[i][j])),
        { rtol: 0.05, atol: 3e-8 },
      );
    }
    assertEquals(state.images, 10_000 + shown);
  }
});

Deno.test("another seed is another run", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const seed of [0, 1]) {
      const state = newState(dcgan, { ...options, seed });
      scoped(() => void advance(state, dataset));
      await saveState(state, join(folder, String(seed)));
    }
    const weights = async (seed: number) =>
      (await loadSafetensors(join(folder, String(seed)))).entries.get("G.output.weight")!.data;
    assert(String(await weights(0)) !== String(await weights(1)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const precision of ["f32", "f16"]) {
  Deno.test(`after the first step nothing is allocated or compiled, after the second nothing bound, ${precision}`, async () => {
    const own = { ...options, precision }, state = newState(dcgan, own);
    const step = async () => {
      scoped(() => void advance(state, dataset));
      await idle();
      return { ...gpu().counters };
    };
    const first = await step(), second = await step();
    for (let i = 0; i < 3; i++) {
      const { buffers, textures, bytes, pipelines, bindGroups } = await step();
      assertEquals({ buffers, textures, bytes, pipelines }, {
        buffers: first.buffers,
        textures: first.textures,
        bytes: first.bytes,
        pipelines: first.pipelines,
      });
      assertEquals(bindGroups, second.bindGroups);
    }
  });
}

Deno.test("a run leaves grids, curves and a checkpoint; stopped, it goes on", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const stop = new AbortController();
    const broken = runOf(folder);
    const progress = new Progress({
      style: "json",
      write: (text) => text.includes('"images"') && stop.abort(),
    });
    assertEquals(await trainIn({ ...broken, progress }, stop.signal), false);
    assert(broken.state.images < 24);
    const rest = runOf(folder);
    await loadState(rest.state, await findCheckpoint(folder));
    assertEquals(rest.state.images, broken.state.images);
    assertEquals(await trainIn(rest), true);
    assertEquals(rest.state.images, 24);
    const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
    for (
      const name of [
        "checkpoint-000000.024.safetensors",
        "fakes000000.024.png",
        "reals.png",
        "stats.jsonl",
      ]
    ) {
      assert(names.includes(name), `${name} is missing from ${names}`);
    }
    assert(names.some((name) => name.startsWith("events.out.tfevents.")));
    const last = (await readStats(folder)).at(-1)!;
    assertEquals(last.images, 24);
    assert([last.dReal, last.dFake, last.g].every(Number.isFinite));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a network that breaks down stops the run and names the tensor", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const run = runOf(folder);
    const weight = [...run.state.D.named()].find(([name]) => name === "output.weight")![1];
    weight.write(new Float32Array(weight.size).fill(NaN));
    const error = await assertRejects(() => trainIn(run), TrainError);
    assertStringIncludes(error.message, "holds NaN");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("steps that overflow in f16 are left out and do not stop a run", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const run = runOf(folder, { precision: "f16" }), { G, D, optG, optD } = run.state;
    const params = [...G.parameters(), ...D.parameters()];
    const values = () => Promise.all(params.map((p) => p.read()));
    const scalers = [optG, optD].map(({ options }) => options.scaler!);
    const scaleTo = (scale: number) =>
      scalers.forEach(({ state }) => state.write([scale, 0, 1, 1, 0]));
    scaleTo(2 ** 60);
    const before = await values();
    assertEquals(await trainIn(run), true);
    assertEquals(await values(), before);
    for (const scaler of scalers) assertEquals(await scaler.read(), { scale: 2 ** 54, good: 0 });
    const last = (await readStats(folder)).at(-1)!;
    assertEquals([last["scale/G"], last["scale/D"]], [2 ** 54, 2 ** 54]);
    assert([last.dReal, last.dFake, last.g].every(Number.isFinite));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a plan knows layers, parameters and arithmetic", async () => {
  const { layers, gflopPerImage, imagesPerSecond } = await plan(newState(dcgan, options));
  assertEquals(layers.G.map(({ path }) => path), [
    "blocks.0.conv",
    "blocks.0.norm",
    "blocks.1.conv",
    "blocks.1.norm",
    "output",
  ]);
  assertEquals(layers.G.map(({ output }) => String(output)).at(-1), "1,16,16,3");
  assertEquals(layers.D[0].parameters, 4 * 4 * 3 * 4);
  // MACs of G: 8*16*8 + 16*16*8*4 ... counted by bench/pytorch.py's rule: 3G - G1 + 8D - 2D1
  const G1 = 16 * 8 * 8, G = G1 + 16 * 16 * 8 * 4 + 64 * 16 * 4 * 3;
  const D1 = 64 * 16 * 3 * 4, D = D1 + 16 * 16 * 4 * 8 + 16 * 8;
  assert(Math.abs(gflopPerImage / (2e-9 * (3 * G - G1 + 8 * D - 2 * D1)) - 1) < 1e-9);
  assert(imagesPerSecond > 0);
});
