import { assertEquals, assertThrows } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { cutOut, translate } from "./translate.ts";
await openGpu();

// [N, H, W, C], and how far or how large: nothing; primes; as far as the picture is wide; all of it
const cases: [[number, number, number, number], number][] = [
  [[1, 1, 1, 1], 0],
  [[3, 5, 7, 3], 2],
  [[2, 4, 3, 2], 4],
  [[3, 7, 6, 1], 3],
];
const places = (N: number) => Float32Array.from({ length: 2 * N }, (_, i) => ((i * 5 + 1) % 8) / 8);

for (const [shape, most] of cases) {
  const [N, H, W, C] = shape, u = places(N);
  const each = (f: (n: number, h: number, w: number, c: number) => number) =>
    Array.from({ length: N * H * W * C }, (_, i) => {
      const at = Math.floor(i / C), row = Math.floor(at / W);
      return f(Math.floor(row / H), row % H, at % W, i % C);
    });
  const whole = (n: number, axis: number, count: number) => Math.floor(u[2 * n + axis] * count);

  Deno.test(`translate() of [${shape}] by up to ${most}`, () =>
    checkOp(
      (x) => translate(x, tensor(u, [N, 2]), most),
      (x) =>
        each((n, h, w, c) => {
          const row = h + whole(n, 0, 2 * most + 1) - most;
          const column = w + whole(n, 1, 2 * most + 1) - most;
          const inside = row >= 0 && row < H && column >= 0 && column < W;
          return inside ? x[((n * H + row) * W + column) * C + c] : 0;
        }),
      [shape],
      { second: true },
    ));

  Deno.test(`cutOut() of [${shape}], side ${most}`, () =>
    checkOp(
      (x) => cutOut(x, tensor(u, [N, 2]), most),
      (x) =>
        each((n, h, w, c) => {
          // The authors' code: offsets below size + (1 - side % 2), from which half the side is taken.
          const first = [H, W].map((size, axis) =>
            whole(n, axis, size + 1 - most % 2) - Math.floor(most / 2)
          );
          const inside = h >= first[0] && h < first[0] + most && w >= first[1] &&
            w < first[1] + most;
          return inside ? 0 : x[((n * H + h) * W + w) * C + c];
        }),
      [shape],
      { second: true },
    ));
}

Deno.test("translate() reaches both ends, also for the largest number below 1", async () => {
  const row = tensor([1, 2, 3], [1, 1, 3, 1]), almost = Math.fround(1 - 2 ** -24);
  const at = async (u: number) => [...await translate(row, tensor([0.5, u], [1, 2]), 1).read()];
  assertEquals([await at(0), await at(0.5), await at(almost)], [[0, 1, 2], [1, 2, 3], [2, 3, 0]]);
});

Deno.test("translate() refuses what does not fit", () => {
  const x = tensor(new Float32Array(8), [2, 2, 2, 1]), u = tensor([0, 0], [1, 2]);
  assertThrows(() => translate(x, u, 1), RangeError, "x [2,2,2,1] and u [1,2]");
});
