import { assertEquals, assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { translate } from "./translate.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// [N, H, W, C], how far, how large: nothing; primes; as far as the image is wide; all of it; a
// square alone; a row of several workgroups; every place of the first number in its texel
const cases: [[number, number, number, number], number, number][] = [
  [[1, 1, 4, 1], 0, 0],
  [[3, 5, 4, 3], 2, 0],
  [[3, 5, 4, 3], 2, 3],
  [[2, 4, 6, 2], 6, 2],
  [[3, 7, 8, 1], 0, 7],
  [[2, 2, 44, 3], 5, 1],
  [[8, 3, 12, 1], 3, 2],
];

for (const [shape, most, side] of cases) {
  const [N, H, W, C] = shape;
  const u = Float32Array.from({ length: 4 * N }, (_, i) => ((i * 5 + (i >> 2) + 1) % 16) / 16);
  const whole = (n: number, i: number, count: number) => Math.floor(u[4 * n + i] * count);
  Deno.test(`translate() of [${shape}] by up to ${most}, a square of ${side}`, () =>
    checkOp(
      (x) => translate(x, tensor(u, [N, 4]), { most, side }),
      (x) =>
        Array.from({ length: N * H * W * C }, (_, i) => {
          const at = Math.floor(i / C), lines = Math.floor(at / W);
          const n = Math.floor(lines / H), h = lines % H, w = at % W, c = i % C;
          // The authors' code: offsets below size + (1 - side % 2), from which half the side is taken.
          const first = [H, W].map((size, axis) =>
            whole(n, 2 + axis, size + 1 - side % 2) - Math.floor(side / 2)
          );
          const dark = h >= first[0] && h < first[0] + side && w >= first[1] && w < first[1] + side;
          const row = h + whole(n, 0, 2 * most + 1) - most;
          const column = w + whole(n, 1, 2 * most + 1) - most;
          const inside = row >= 0 && row < H && column >= 0 && column < W;
          return inside && !dark ? x[((n * H + row) * W + column) * C + c] : 0;
        }),
      [shape],
      { second: true },
    ));
}

Deno.test("translate() reaches both ends, also for the largest number below 1", async () => {
  const row = tensor([1, 2, 3, 4], [1, 1, 4, 1]), almost = Math.fround(1 - 2 ** -24);
  const at = async (u: number) => [
    ...await translate(row, tensor([0.5, u, 0, 0], [1, 4]), { most: 1, side: 0 }).read(),
  ];
  assertEquals(
    [await at(0), await at(0.5), await at(almost)],
    [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 0]],
  );
});

Deno.test("translate() refuses what does not fit", () => {
  const x = tensor(new Float32Array(16), [2, 2, 4, 1]),
    odd = tensor(new Float32Array(3), [1, 1, 3, 1]);
  const u = tensor(new Float32Array(4), [1, 4]), by = { most: 1, side: 0 };
  assertThrows(() => translate(x, u, by), RangeError, "x [2,2,4,1] and u [1,4]");
  assertThrows(() => translate(odd, u, by), RangeError, "x [1,1,3,1] and u [1,4]");
});
