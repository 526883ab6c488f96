import { assert, assertEquals } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { uniform } from "../kernels/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { randoms } from "../tests/support.ts";
import { augment, augmentations } from "./augment.ts";
await openGpu();

const key = { seed: 3, stream: 40, counter: 5 }, N = 3, H = 3, W = 2, C = 3, size = H * W * C;

Deno.test("color changes brightness, saturation, contrast, as in the authors' code", async () => {
  const [b, s, c] = await Promise.all(
    [0, 1, 2].map((i) => uniform([N, 1], { ...key, stream: 40 + i }).read()),
  );
  await checkOp(
    (x) => augment(x, ["color"], key),
    (x) => {
      const mean = (e: number[]) => e.reduce((t, v) => t + v, 0) / e.length;
      return Array.from({ length: N }, (_, n) => {
        const bright = x.slice(n * size, (n + 1) * size).map((e) => e + b[n] - 0.5);
        const full = bright.map((e, i) => {
          const grey = mean(bright.slice(i - i % C, i - i % C + C));
          return (e - grey) * 2 * s[n] + grey;
        });
        return full.map((e) => (e - mean(full)) * (c[n] + 0.5) + mean(full));
      }).flat();
    },
    [[N, H, W, C]],
    { second: true },
  );
});

Deno.test("all changes have gradients of gradients, and draws of their own", async () => {
  const names = Object.keys(augmentations);
  assertEquals(names, ["color", "translation", "cutout"]);
  const x = tensor(randoms(2 * 192, 1), [2, 8, 8, 3]);
  const values = async (key_: typeof key) => String(await augment(x, names, key_).read());
  assertEquals(await values(key), await values({ ...key }));
  for (const other of [{ seed: 4 }, { stream: 50 }, { counter: 6 }]) {
    assert(await values(key) !== await values({ ...key, ...other }));
  }
  assertEquals(augment(x, [], key), x);
});

Deno.test("translation is by up to an eighth of the side, cutout of a square of half of it", async () => {
  const N = 256, R = 16, white = tensor(new Float32Array(N * R * R).fill(1), [N, R, R, 1]);
  const pictures = async (name: string) => {
    const y = await augment(white, [name], key).read();
    return Array.from({ length: N }, (_, n) => y.subarray(n * R * R, (n + 1) * R * R));
  };
  const dark = (y: Float32Array) => y.reduce((t, e) => t + 1 - e, 0);
  // Moved by a and b, R |a| + R |b| - |a b| pixels come from outside.
  const moved = (await pictures("translation")).map(dark);
  assertEquals([Math.min(...moved), Math.max(...moved)], [0, 2 * R + 2 * R - 4]);
  const cut = (await pictures("cutout")).map(dark);
  assertEquals([Math.min(...cut), Math.max(...cut)], [(R / 4) ** 2, (R / 2) ** 2]);
});
