/**
 * What memory held before it was taken changes nothing: a run in memory full of NaN, as one leaves that broke
 * down and goes back, ends with the bits of a run in fresh memory.
 */
import { assert, assertEquals } from "@std/assert";
import { recipes } from "../cli/recipes.ts";
import { shrink } from "../data/shrink.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { deviceInfo } from "../gpu/device.ts";
import { read } from "../gpu/read.ts";
import { conv2d, conv2dInput, conv2dWeight } from "../kernels/conv2d.ts";
import { matmul } from "../kernels/matmul.ts";
import { forcePlan } from "../kernels/plan.ts";
import { flatten } from "../nn/flat.ts";
import { scoped, type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { freeState, grow, newState, tensors } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { caseOf } from "./convolution.ts";
import { assertSame, randoms } from "./support.ts";
await openGpu();

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

Deno.test("tensors that are moved into one buffer leave behind what lay after them", async () => {
  scoped(() => {
    for (let i = 0; i < 8; i++) tensor([NaN, NaN, NaN, NaN], [4]);
  });
  const { whole } = flatten([tensor([1], [1]), tensor([2, 3], [2]), tensor([4, 5, 6], [3])]);
  const values = [...new Float32Array(await read(whole, whole.size))];
  assertEquals(values.filter((x) => x !== 0), [1, 2, 3, 4, 5, 6]);
});

/** Fills the memory that is taken next, of any size up to 16 KiB, with NaN. */
function spoil(): void {
  scoped(() => {
    for (let bytes = 256; bytes <= 1 << 14; bytes += 256) {
      for (let i = 0; i < 4; i++) {
        const n = bytes / 4;
        tensor(new Float32Array(n).fill(NaN), [n]);
      }
    }
  });
}

for (const precision of ["f32", "f16"] as const) {
  for (const load of ["buffer", "tile"] as const) {
    Deno.test(`products and convolutions in ${precision} by ${load}s read nothing behind their operands`, async () => {
      if (precision === "f16" && !deviceInfo().features.includes("shader-f16")) return;
      const sizes = load === "tile"
        ? { MR: 4, KU: 16, wx: 16, wy: 16 }
        : { MR: 8, KU: 8, wx: 8, wy: 8 };
      forcePlan({ load, NV: 1, wz: 1, ...sizes });
      try {
        for (const C of [8, 9]) {
          const { x, w, y, g } = caseOf([2, 5, 5, C], [3, 3], 10, 2, 1);
          const of = (shape: Shape, seed: number) => tensor(randoms(sizeOf(shape), seed), shape);
          const made = () => {
            const [a, b, dy] = [of(x, 1), of(w, 2), of(y, 3)], how = { ...g, precision };
            return scoped(() => [
              ...[conv2d(a, b, how), conv2dInput(dy, b, x, how), conv2dWeight(a, dy, w, how)],
              matmul(of([5, C], 4), of([6, C], 5), { b: true, precision }),
            ]);
          };
          const expected = await Promise.all(made().map((t) => t.read()));
          spoil();
          const found = await Promise.all(made().map((t) => t.read()));
          for (const [i, values] of expected.entries()) {
            assertSame(bytesOf(found[i]), bytesOf(values), `result ${i}, ${C} channels`);
          }
        }
      } finally {
        forcePlan(undefined);
      }
    });
  }
}

/** All tensors of a run after its first steps, one in each stage at least. */
async function after(options: TrainOptions, spoilt: boolean): Promise<Map<string, Uint8Array>> {
  const state = newState(recipes[options.recipe], options), dataset = datasetOf(options.resolution);
  if (spoilt) {
    for (const net of [state.G, state.D]) {
      for (const t of net.parameters()) t.write(new Float32Array(t.size).fill(NaN));
    }
  }
  for (let i = 0; i < 4; i++) {
    grow(state);
    const shown = shrink(dataset, state.stage.resolution, "area");
    scoped(() => void advance(state, shown));
  }
  const overflown = [await state.optG.hasOverflown(), await state.optD.hasOverflown()];
  assertEquals(overflown, [spoilt, spoilt], "what an optimiser came across");
  const found = new Map<string, Uint8Array>();
  for (const [name, t] of tensors(state)) found.set(name, bytesOf(await t.read()));
  freeState(state);
  return found;
}

const tiny = {
  resolution: 8,
  batch: 4,
  nz: 3,
  ngf: 3,
  ndf: 3,
  fmapBase: 24,
  fmapMax: 3,
  classes: "",
};
const CASES: Record<string, Partial<TrainOptions>> = {
  dcgan: { augment: "color,translation,cutout", ema: 0.9, l2: 0.1 },
  sagan: { attention: "4", dropout: 0.25, r1: 1, minibatch: "discrimination" },
  pggan: { phaseKimg: 0.004, lastKimg: 0.004, r1: 1, drift: 0.1 },
  r3gan: { fmapBase: 64, fmapMax: 8 },
};
for (const [name, more] of Object.entries(CASES)) {
  Deno.test(`${name}: a run in memory that held NaN is the run in fresh memory`, async () => {
    const preset = recipes[name].presets.small.options;
    const options = { ...defaults, ...preset, recipe: name, preset: "small", ...tiny, ...more };
    const expected = await after(options, false);
    await after(options, true);
    const found = await after(options, false);
    assert(expected.size > 10);
    for (const [key, bytes] of expected) assertSame(found.get(key)!, bytes, key);
  });
}
