/** Growing: resume in every phase, what is carried over and what is given back, what a run leaves. */
import { join } from "@std/path";
import { assert, assertEquals } from "@std/assert";
import type { Dataset } from "../data/pack.ts";
import { shrink } from "../data/shrink.ts";
import { gpu } from "../gpu/gpu.ts";
import { idle, trim } from "../gpu/record.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { scoped } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { trainIn } from "./train_in.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { pggan } from "../train/pggan.ts";
import { plan } from "../train/plan.ts";
import { Progress } from "../run/progress.ts";
import { readStats } from "../run/run_folder.ts";
import { samples } from "../train/sampling.ts";
import {
  grow,
  loadGenerator,
  loadState,
  newState,
  sampler,
  saveState,
  type State,
} from "../train/state.ts";
import { assertSame, inFolder } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// Six phases of two steps each: 4; 8 fading, 8; 16 fading, 16, 16.
const options: TrainOptions = {
  ...defaults,
  ...pggan.presets.default.options,
  recipe: "pggan",
  preset: "default",
  resolution: 16,
  batch: 4,
  nz: 8,
  fmapBase: 32,
  fmapMax: 8,
  phaseKimg: 0.008,
  lastKimg: 0.008,
  kimg: 0,
  snapshot: 0.02,
  loss: "wgan",
  gp: 10,
  drift: 1e-3,
};
const R = options.resolution, count = 10, STEPS = 12;
const dataset: Dataset = {
  name: "test",
  count,
  resolution: R,
  pixels: Uint8Array.from({ length: count * R * R * 3 }, (_, i) => (i * 7919) % 256),
  hash: "",
  broken: [],
};

function step(state: State): void {
  grow(state);
  const shown = shrink(dataset, state.stage.resolution);
  scoped(() => void advance(state, shown));
}

Deno.test("a run resumed in any phase, mid-fade and where phases meet, is the unbroken run, bit for bit", () =>
  inFolder(async (folder) => {
    const file = (name: string | number) => join(folder, String(name));
    const straight = newState(pggan, options);
    for (let i = 0; i < STEPS; i++) {
      await saveState(straight, file(i));
      step(straight);
    }
    await saveState(straight, file("end"));
    const end = await Deno.readFile(file("end"));
    const stages = new Set<string>();
    for (let i = 1; i < STEPS; i++) {
      const resumed = newState(pggan, options);
      await loadState(resumed, file(i));
      stages.add(JSON.stringify(resumed.stage));
      // The next checkpoint tells where they part, if they do.
      step(resumed);
      await saveState(resumed, file("next"));
      const expected = i + 1 === STEPS ? end : await Deno.readFile(file(i + 1));
      assertSame(await Deno.readFile(file("next")), expected, `after step ${i}`);
    }
    for (
      const stage of [
        { resolution: 4, fading: false, alpha: 1 },
        { resolution: 8, fading: true, alpha: 0.5 },
        { resolution: 8, fading: false, alpha: 1 },
        { resolution: 16, fading: true, alpha: 0.5 },
        { resolution: 16, fading: false, alpha: 1 },
      ]
    ) assert(stages.has(JSON.stringify(stage)), `no checkpoint at ${JSON.stringify(stage)}`);
  }));

for (const [preset, precision] of [["thesis", "f32"], ["r1", "f32"], ["default", "f16"]]) {
  Deno.test(`a run of ${preset} in ${precision} resumed in a fade-in is the unbroken run, bit for bit`, () =>
    inFolder(async (folder) => {
      const { batch, nz, fmapBase, fmapMax, phaseKimg, lastKimg } = options;
      const sizes = { resolution: 8, batch, nz, fmapBase, fmapMax, phaseKimg, lastKimg };
      const own: TrainOptions = {
        ...{ ...defaults, recipe: "pggan", preset },
        ...pggan.presets[preset].options,
        ...sizes,
        precision,
        phaseFactor: 1,
      };
      const saved = async (state: State, name: string) => {
        await saveState(state, join(folder, name));
        return await Deno.readFile(join(folder, name));
      };
      const straight = newState(pggan, own);
      for (let i = 0; i < 3; i++) step(straight);
      await saved(straight, "half");
      assertEquals(straight.stage, { resolution: 8, fading: true, alpha: 0 });
      for (let i = 0; i < 3; i++) step(straight);
      const resumed = newState(pggan, own);
      await loadState(resumed, join(folder, "half"));
      for (let i = 0; i < 3; i++) step(resumed);
      assertEquals(resumed.stage, { resolution: 8, fading: false, alpha: 1 });
      const [a, b] = [await saved(resumed, "a"), await saved(straight, "b")];
      assertSame(a, b, preset);
      const weights = [...resumed.G.named(), ...resumed.D.named()];
      for (const [name, t] of weights) {
        assert((await t.read()).every(Number.isFinite), `${name} is not finite`);
      }
    }));
}

Deno.test("growing carries weights and average over, begins moments anew, drops the old branch", () =>
  inFolder(async (folder) => {
    const state = newState(pggan, options);
    const entries = async () => {
      await saveState(state, join(folder, "now"));
      return (await loadSafetensors(join(folder, "now"))).entries;
    };
    for (let i = 0; i < 4; i++) step(state); // 8 pixels are faded in
    const before = await entries();
    assert(before.has("G.toRgb.0.weight") && before.has("D.fromRgb.0.weight"));
    assert(grow(state));
    const after = await entries();
    assertEquals(state.stage, { resolution: 8, fading: false, alpha: 1 });
    for (const [name, { data }] of after) {
      if (!name.startsWith("adam.")) {
        assertSame(data as Float32Array, before.get(name)!.data as Float32Array, name);
      } else assert((data as Float32Array).every((v) => v === 0), `${name} is not 0`);
    }
    const gone = [...before.keys()].filter((name) => !after.has(name) && !name.startsWith("adam."));
    assertEquals(gone.sort(), [
      "D.fromRgb.0.bias",
      "D.fromRgb.0.weight",
      "G.toRgb.0.bias",
      "G.toRgb.0.weight",
      "average.toRgb.0.bias",
      "average.toRgb.0.weight",
    ]);
    for (let i = 0; i < 2; i++) step(state);
    assert(grow(state)); // to 16 pixels
    const grown = await entries(), fresh = newState(pggan, { ...options, phaseKimg: 0 });
    assert(grown.has("G.blocks.2.0.conv.weight") && grown.has("G.toRgb.1.weight"));
    // A new block begins as in a network that is built as large.
    const [, built] = [...fresh.G.named()].find(([name]) => name === "blocks.2.0.conv.weight")!;
    const [, mine] = [...state.G.named()].find(([name]) => name === "blocks.2.0.conv.weight")!;
    assertSame(await mine.read(), await built.read(), "new block");
    const block = (net: string) => grown.get(`${net}.blocks.2.0.conv.weight`)!.data as Float32Array;
    assertSame(block("average"), block("G"), "new block of the average");
  }));

Deno.test("grown networks hold no more memory than networks built as large, and steps of a phase allocate nothing", async () => {
  const bytesOf = async (make: () => State) => {
    trim();
    const before = gpu().counters.bytes, state = make();
    step(state);
    await idle();
    return { state, bytes: gpu().counters.bytes - before };
  };
  const built = await bytesOf(() => newState(pggan, { ...options, phaseKimg: 0 }));
  const { state, bytes } = await bytesOf(() => {
    const state = newState(pggan, options);
    for (let i = 0; i < 8; i++) step(state); // the last of them still fade 16 pixels in
    return state;
  });
  assertEquals(state.stage, { resolution: 16, fading: false, alpha: 1 });
  assertEquals(bytes, built.bytes);
  step(state);
  await idle();
  const { buffers, textures, pipelines, bindGroups } = gpu().counters;
  step(state);
  await idle();
  assertEquals([gpu().counters.buffers, gpu().counters.textures], [buffers, textures]);
  assertEquals([gpu().counters.pipelines, gpu().counters.bindGroups], [pipelines, bindGroups]);
});

Deno.test("a plan tells batch, speed and time of each phase that the run comes to", async () => {
  const own = { ...options, batch: 8, fullBatchTo: 8, lastKimg: 0.01, kimg: 0.05 };
  const { phases, seconds, layers } = await plan(newState(pggan, own));
  const seen = phases.map((
    { resolution, fading, images, batch },
  ) => [resolution, fading, images, batch]);
  assertEquals(seen, [
    [4, false, 8, 8],
    [8, true, 8, 8],
    [8, false, 8, 8],
    [16, true, 8, 4],
    [16, false, 8, 4],
    [16, false, 10, 4], // shown to the end of --kimg
  ]);
  const [first, , small, fading, large, last] = phases.map(({ gflopPerImage }) => gflopPerImage);
  assert(0 < first && first < small && small < large && large < fading && large === last);
  assert(Math.abs(phases.reduce((t, phase) => t + phase.seconds, 0) / seconds - 1) < 1e-9);
  assertEquals(layers.G.at(-1)!.output, [1, 16, 16, 3]);
  const cut = { ...own, kimg: 0.02 }, short = await plan(newState(pggan, cut));
  assertEquals(short.phases.map(({ images }) => images), [8, 8, 4]);
});

Deno.test("while a level is faded in, images go from the old branch's to the new one's", async () => {
  const state = newState(pggan, options);
  for (let i = 0; i < 3; i++) step(state);
  const image = async (alpha: number) => {
    state.stage.alpha = alpha;
    for await (const { bytes } of samples(state.G, options, 1, 5)) return [...bytes];
  };
  const [old, half, fresh] = [await image(0), await image(0.5), await image(1)];
  assertEquals(old!.length, R * R * 3); // enlarged to the run's resolution
  assert(old!.some((v, i) => Math.abs(v - fresh![i]) > 2), "the branches do not differ");
  for (const [i, v] of half!.entries()) {
    // Bytes are held at 0 and 255; between them the mix is linear, but for rounding.
    const held = [old![i], fresh![i]].some((v) => v === 0 || v === 255);
    assert(
      held || Math.abs(v - (old![i] + fresh![i]) / 2) <= 1,
      `${i}: ${old![i]} ${v} ${fresh![i]}`,
    );
  }
});

Deno.test("a run grows by itself, tells its phase, and its checkpoints of any level make images", () =>
  inFolder(async (folder) => {
    const state = newState(pggan, { ...options, keep: 9 }), said: string[] = [];
    const progress = new Progress({ style: "json", write: (text) => said.push(text) });
    assert(await trainIn({ state, dataset, run: folder, progress }));
    assertEquals([state.images, state.stage.resolution], [4 * STEPS, 16]);
    const stats = await readStats(folder);
    assertEquals(stats.at(-1)!.resolution, 16);
    assertEquals(stats.at(-1)!.alpha, 1);
    for (const part of ["fading in 8 px", "stabilising 8 px", "fading in 16 px"]) {
      assert(said.some((line) => line.includes(part)), `${part} is not in ${said}`);
    }
    const early = newState(pggan, options);
    for (let i = 0; i < 5; i++) {
      for (let k = 0; k < 2; k++) step(early);
      await saveState(early, join(folder, "early"));
      const { G, stage } = await loadGenerator(pggan, options, join(folder, "early"));
      assertEquals(stage, early.stage);
      const of = async (net: typeof G) => {
        for await (const { bytes } of samples(net, options, 2, 1)) return bytes;
      };
      assertSame((await of(G))!, (await of(sampler(early)))!, `images at ${stage.resolution}`);
    }
  }));
