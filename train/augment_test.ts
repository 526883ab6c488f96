import { assert, assertEquals } from "@std/assert";
import { color } from "../kernels/color.ts";
import { mul } from "../kernels/elementwise.ts";
import { uniform } from "../kernels/random.ts";
import { sum } from "../kernels/reduce.ts";
import { translate } from "../kernels/translate.ts";
import { grad } from "../nn/grad.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { adapt, augment, augmentations } from "./augment.ts";
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

const drawn = { seed: 5, stream: 0, counter: 0 };

Deno.test("augment(): of probability 1 it is what it is without, of 0 nothing", async () => {
  const x = tensor(randoms(6 * 8 * 8 * 3, 3), [6, 8, 8, 3]), all = augmentations;
  const as = async (probability: number) =>
    await augment(x, all, drawn, tensor([probability], [1])).read();
  assertClose("with 1", await as(1), [...await augment(x, all, drawn).read()], { atol: 1e-6 });
  assertEquals(await as(0), await x.read());
  assertEquals(await augment(x, all, drawn, 0).read(), await x.read());
});

Deno.test("augment(): each change happens to its share of the images, by itself", async () => {
  const N = 600, x = tensor(randoms(N * 4 * 4 * 3, 3), [N, 4, 4, 3]), before = await x.read();
  const shares: Record<string, number> = {}, changed: boolean[][] = [];
  for (const name of ["color", "cutout"]) {
    const after = await augment(x, [name], drawn, 0.3).read();
    const of = Array.from(
      { length: N },
      (_, i) =>
        after.subarray(48 * i, 48 * i + 48).some((value, at) => value !== before[48 * i + at]),
    );
    shares[name] = of.filter(Boolean).length / N;
    changed.push(of);
  }
  // Within four standard deviations, 0.075.
  for (const share of Object.values(shares)) assert(Math.abs(share - 0.3) < 0.075, `${share}`);
  const both = changed[0].filter((one, i) => one && changed[1][i]).length / N;
  assert(Math.abs(both - 0.09) < 0.047, `both: ${both}`);
});

Deno.test("augment(): with a probability, gradients pass as through what was chosen", async () => {
  const x = tensor(randoms(8 * 4 * 4 * 3, 3), [8, 4, 4, 3], true);
  const y = augment(x, ["translation"], drawn, 0.5), weights = tensor(randoms(y.size, 9), y.shape);
  const [dx] = grad(sum(mul(y, weights)), [x]);
  // A move is linear: <dx, x> is <weights, y>.
  const dot = async (a: Tensor, b: Tensor) => (await sum(mul(a, b)).read())[0];
  assertClose("<dx, x>", [await dot(dx, x)], [await dot(weights, y)], { atol: 1e-4 });
});

Deno.test("adapt(): the probability follows the mean sign of D's logits of real images", async () => {
  const p = tensor([0.5], [1]), by = { target: 0.6, kimg: 0.05, most: 0.8 };
  const after = async (...logits: number[]) => {
    adapt(p, tensor(logits, [logits.length]), by);
    return (await p.read())[0];
  };
  assertClose("mean 1, above 0.6", [await after(1, 2, 3, 4, 5)], [0.6]); // 5 images of 50
  assertClose("mean 0.2, below", [await after(1, 2, 3, -4, -5)], [0.5]);
  for (let i = 0; i < 4; i++) await after(1, 1, 1, 1, 1);
  assertClose("at most 0.8", [(await p.read())[0]], [0.8]);
  for (let i = 0; i < 9; i++) await after(-1, -1, -1, -1, -1);
  assertEquals((await p.read())[0], 0);
});
