import { assertThrows } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { minibatchStddev } from "./minibatch_stddev.ts";
await openGpu();

type Picture = [N: number, H: number, W: number, C: number];

/** Group by group and feature by feature, as the paper says it. */
function reference(x: number[], [N, H, W, C]: Picture, group: number): number[] {
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

// pairs; one group; groups that interleave; a batch below the group
const cases: [Picture, number][] = [
  [[2, 1, 1, 1], 2],
  [[4, 2, 2, 3], 4],
  [[8, 1, 2, 2], 4],
  [[6, 2, 1, 3], 2],
  [[3, 1, 2, 2], 4],
];
for (const [shape, group] of cases) {
  Deno.test(`minibatchStddev() of [${shape}] in groups of ${group}`, () =>
    checkOp((x) => minibatchStddev(x, group), (x) => reference(x, shape, group), [shape], {
      second: true,
      // Where two pictures are nearly the same the root is steep.
      rtol: 5e-4,
      seed: 3,
    }));
}

Deno.test("minibatchStddev() refuses a batch that its groups do not fill", () => {
  assertThrows(() => minibatchStddev(tensor([1, 2, 3, 4, 5, 6], [6, 1, 1, 1])), RangeError, "of 6");
});
