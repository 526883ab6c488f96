import { assert, assertEquals } from "@std/assert";
import { color } from "../kernels/color.ts";
import { uniform } from "../kernels/random.ts";
import { translate } from "../kernels/translate.ts";
import { tensor } from "../tensor/tensor.ts";
import { randoms } from "../tests/support.ts";
import { augment, augmentations } from "./augment.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const key = { seed: 3, stream: 40, counter: 5 };

Deno.test("changes are made in one order, by draws of their own", async () => {
  assertEquals(augmentations, ["color", "translation", "cutout"]);
  const x = tensor(randoms(2 * 192, 1), [2, 8, 8, 3]);
  const values = async (
    names: readonly string[],
    key_ = key,
  ) => [...await augment(x, names, key_).read()];
  const colors = color(x, uniform([2, 4], key)), places = uniform([2, 4], { ...key, stream: 41 });
  const all = [...await translate(colors, places, { most: 1, side: 4 }).read()];
  assertEquals(await values(augmentations), all);
  assertEquals(await values([...augmentations].reverse()), all);
  assertEquals(await values(["color"]), [...await colors.read()]);
  for (const other of [{ seed: 4 }, { stream: 50 }, { counter: 6 }]) {
    assert(String(await values(augmentations, { ...key, ...other })) !== String(all));
  }
  assertEquals(augment(x, [], key), x);
});

Deno.test("translation is by up to an eighth of the side, cutout of a square of half of it", async () => {
  const N = 1024, R = 16, white = tensor(new Float32Array(N * R * R).fill(1), [N, R, R, 1]);
  const dataset = async (name: string) => {
    const y = await augment(white, [name], key).read();
    return Array.from({ length: N }, (_, n) => y.subarray(n * R * R, (n + 1) * R * R));
  };
  const dark = (y: Float32Array) => y.reduce((t, e) => t + 1 - e, 0);
  // Moved by a and b, R |a| + R |b| - |a b| pixels come from outside.
  const moved = (await dataset("translation")).map(dark);
  assertEquals([Math.min(...moved), Math.max(...moved)], [0, 2 * R + 2 * R - 4]);
  const cut = (await dataset("cutout")).map(dark);
  assertEquals([Math.min(...cut), Math.max(...cut)], [(R / 4) ** 2, (R / 2) ** 2]);
});
