import { assertEquals, assertThrows } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { mul } from "./elementwise.ts";
import { minibatchStddev } from "./minibatch_stddev.ts";
import { sum } from "./reduce.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

type Image = [N: number, H: number, W: number, C: number];

/** Group by group and feature by feature, as the paper says it. */
function reference(x: number[], [N, H, W, C]: Image, group: number): number[] {
  const g = Math.min(group, N), M = N / g, features = H * W * C;
  const map = Array.from({ length: M }, (_, j) => {
    let total = 0;
    for (let f = 0; f < features; f++) {
      const values = Array.from({ length: g }, (_, i) => x[(j + i * M) * features + f]);
      const middle = values.reduce((a, b) => a + b) / g;
      const variance = values.reduce((t, v) => t + (v - middle) ** 2, 0) / g;
      total += Math.sqrt(variance + 1e-8);
    }
    return total / features;
  });
  return Array.from({ length: N * H * W }, (_, pixel) => {
    const n = Math.floor(pixel / (H * W));
    return [...x.slice(pixel * C, (pixel + 1) * C), map[n % M]];
  }).flat();
}

// pairs; one group, of one image, too; groups that interleave; a batch below the group; several batches; more features
// than lanes, and more pixels
const cases: [Image, number, number][] = [
  [[2, 1, 1, 1], 2, 1],
  [[4, 2, 2, 3], 4, 1],
  [[8, 1, 2, 2], 4, 1],
  [[6, 2, 1, 3], 2, 1],
  [[3, 1, 2, 2], 4, 1],
  [[2, 2, 1, 2], 1, 1],
  [[4, 1, 2, 2], 2, 2],
  [[4, 2, 1, 2], 4, 3],
  [[2, 10, 13, 2], 2, 1],
];
for (const [shape, group, batches] of cases) {
  const [N, ...image] = shape, all = [batches * N, ...image], size = sizeOf(shape);
  const each = (x: number[]) =>
    Array.from({ length: batches }, (_, i) => x.slice(i * size, (i + 1) * size))
      .flatMap((x) => reference(x, shape, group));
  Deno.test(`minibatchStddev() of ${batches} x [${shape}] in groups of ${group}`, () =>
    checkOp((x) => minibatchStddev(x, batches, group), each, [all], {
      second: size < 100,
      // Where two images are nearly the same the root is steep.
      rtol: 5e-4,
      seed: 3,
    }));
}

Deno.test("minibatchStddev() refuses a batch that its groups do not fill, and larger groups", () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [6, 1, 1, 1]);
  assertThrows(() => minibatchStddev(x), RangeError, "of 6");
  assertThrows(() => minibatchStddev(x, 1, 6), RangeError, "groups of 6");
});

Deno.test("minibatchStddev() of an infinite gradient: as infinite as it is", async () => {
  // Three images to a group; the last one's place is filled with a copy of it.
  const x = tensor([1, 2, 4], [3, 1, 1, 1], true),
    dy = tensor([0, 0, 0, 0, 0, Infinity], [3, 1, 1, 2]);
  const dx = grad(sum(mul(minibatchStddev(x, 1, 3), dy)), [x])[0];
  assertEquals([...await dx.read()], [-Infinity, -Infinity, Infinity]);
});
