import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Dataset } from "../data/pack.ts";
import { gpu } from "../gpu/gpu.ts";
import { EVALUATION } from "../nn/context.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { attentionMaps } from "./attention_maps.ts";
import { attentionSheet, standardPoints } from "./attention_sheet.ts";
import { dcgan } from "./dcgan.ts";
import { collapse, diagnose, diversity } from "./diagnose.ts";
import { advance } from "./advance.ts";
import { defaults, type TrainOptions } from "./options.ts";
import { sagan } from "./sagan.ts";
import { newState } from "./state.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const options: TrainOptions = {
  ...defaults,
  ...sagan.presets.default.options,
  recipe: "sagan",
  preset: "default",
  resolution: 16,
  batch: 4,
  nz: 8,
  ngf: 4,
  ndf: 4,
  attention: "8,4",
};
const R = 16, n = 4;
const bytes = (seed: number) =>
  Uint8Array.from(randoms(n * R * R * 3, seed), (u) => 127.5 + 127.5 * u);
const dataset: Dataset = {
  name: "test",
  count: n,
  resolution: R,
  pixels: bytes(1),
  hash: "",
  broken: [],
};

Deno.test("what diagnose() tells of SAGAN, and that it changes nothing", async () => {
  const state = newState(sagan, options);
  const step = () => scoped(() => void advance(state, dataset));
  step();
  const [fakes, reals] = [2, 1].map((seed) => ({ pixels: bytes(seed), n, R }));
  const first = await diagnose(state, fakes, reals);
  const memory = gpu().counters.bytes;
  assertEquals(await diagnose(state, fakes, reals), first);
  assertEquals(gpu().counters.bytes, memory);
  const blocks = ["G.blocks.0", "G.blocks.1", "D.blocks.0", "D.blocks.1"];
  for (const block of blocks) {
    const gamma = [...state[block[0] as "G" | "D"].named()]
      .find(([path]) => path === `${block.slice(2)}.attention.gamma`)![1];
    assertEquals(first[`gamma/${block}`], (await gamma.read())[0]);
    assert(first[`gamma/${block}`] !== 0, "a step moves gamma");
    const entropy = first[`entropy/${block}`];
    assert(entropy > 0.5 && entropy <= 1.00001, `entropy ${entropy}`); // keys of small weights
  }
  for (const path of ["G.blocks.0.conv", "G.blocks.1.attention.f", "G.output", "D.output"]) {
    assert(first[`sigma/${path}`] > 0, path);
  }
  for (const name of ["pixels", "nearest", "features"]) {
    assert(first[`diversity/${name}`] > 0.5, name); // noise beside noise
  }
});

Deno.test("what diagnose() tells of DCGAN, and of a collapse", async () => {
  const own = { ...options, ...dcgan.presets.default.options, resolution: R };
  const state = newState(dcgan, own), reals = { pixels: bytes(1), n, R };
  const same = bytes(2).map((value, i) => i < R * R * 3 ? value : 0);
  for (let i = 1; i < n; i++) same.copyWithin(i * R * R * 3, 0, R * R * 3);
  const numbers = await diagnose(state, { pixels: same, n, R }, reals);
  assertEquals(Object.keys(numbers).sort(), [
    "diversity/features",
    "diversity/nearest",
    "diversity/pixels",
  ]);
  for (const value of Object.values(numbers)) assertEquals(value, 0);
  assertStringIncludes(collapse(numbers)!, "0.00 of the real ones'");
  assertStringIncludes(collapse(numbers)!, "--minibatch discrimination");
  assertEquals(collapse(await diagnose(state, reals, reals)), undefined);
  const one = { "diversity/pixels": 0.9, "diversity/nearest": 0.1 }; // pairs of the same, far apart
  assertStringIncludes(collapse(one)!, "0.10 of the real ones'");
  assertEquals(collapse({}), undefined); // few images have no diversity
});

Deno.test("diversity() is of distances: of pairs, and to the nearest", () => {
  // on a line: fakes at 0, 1, 5; reals at 0, 2, 6
  const { mean, nearest } = diversity(Float32Array.of(0, 1, 5), Float32Array.of(0, 2, 6), 3);
  assertAlmostEquals(mean, (1 + 5 + 4) / (2 + 6 + 4));
  assertAlmostEquals(nearest, (1 + 1 + 4) / (2 + 2 + 4));
});

Deno.test("attentionMaps() are of each attention, and leave the network as it was", async () => {
  const { G } = newState(sagan, options), z = tensor(randoms(16, 3), [2, 8]);
  const before = await noGrad(() => G.forward(z, EVALUATION)).read();
  const maps = attentionMaps(G, z);
  assertEquals(maps.map(({ path, side, map }) => `${path} ${side} ${map.shape}`), [
    "blocks.0.attention 4 2,16,4",
    "blocks.1.attention 8 2,64,16",
  ]);
  const map = await maps[1].map.read();
  const sums = Array.from(
    { length: 128 },
    (_, row) => map.subarray(16 * row, 16 * row + 16).reduce((a, b) => a + b),
  );
  assertClose("sums of rows", sums, sums.map(() => 1));
  assertEquals(await noGrad(() => G.forward(z, EVALUATION)).read(), before);
});

Deno.test("attentionSheet() draws a map over its image", () => {
  const R = 64,
    side = 2,
    dataset = new Uint8Array(R * R * 3).fill(100),
    points = standardPoints(R);
  // The query of the upper left quarter looks at the lower right; all others at the upper left.
  const map = Float32Array.of(0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
  const { width, height, rgb } = attentionSheet(dataset, { map, side, n: 1, R }, points);
  assertEquals([width, height], [6 * 132 - 4, 128]); // twice as large, 4 between
  const at = (column: number, x: number, y: number) => {
    const start = (2 * y * width + column * 132 + 2 * x) * 3;
    return [...rgb.subarray(start, start + 3)];
  };
  assertEquals(at(0, 5, 5), [100, 100, 100]);
  const dark = [35, 35, 35], bright = [200, 178, 74];
  assertEquals([at(2, 5, 5), at(2, 60, 60), at(2, 16, 16)], [dark, bright, [255, 0, 0]]);
  assertEquals([at(3, 5, 5), at(3, 60, 60), at(3, 48, 16)], [bright, dark, [255, 0, 0]]);
  // Across before down: the upper right quarter's query is the second, and looks at the second key.
  const own = Float32Array.of(0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0);
  const asked = [{ x: 48, y: 16 }, { x: 16, y: 48 }];
  const sheet = attentionSheet(dataset, { map: own, side, n: 1, R }, asked);
  const pixel = (column: number, x: number, y: number) =>
    sheet.rgb[(2 * y * sheet.width + column * 132 + 2 * x) * 3];
  assertEquals([pixel(1, 5, 5), pixel(1, 60, 5), pixel(1, 5, 60)], [35, 200, 35]);
  assertEquals([pixel(2, 5, 5), pixel(2, 60, 5), pixel(2, 5, 60)], [35, 35, 200]);
});
