import { assertThrows } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { type Shape, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { assertClose } from "../tests/support.ts";
import { pixelNorm } from "./pixel_norm.ts";
import { sum } from "./reduce.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

function reference(x: number[], C: number, eps: number): number[] {
  const y: number[] = [];
  for (let start = 0; start < x.length; start += C) {
    const row = x.slice(start, start + C);
    const r = 1 / Math.sqrt(row.reduce((t, v) => t + v * v, 0) / C + eps);
    y.push(...row.map((v) => v * r));
  }
  return y;
}

// one element; primes; four channels at a time; a workgroup of rows, one more, several
const shapes: Shape[] = [
  [1, 1],
  [3, 7],
  [2, 3, 5, 3],
  [1, 2, 2, 8],
  [64, 2],
  [65, 3],
  [131, 4],
  [2, 257],
];
for (const shape of shapes) {
  const C = shape.at(-1)!, size = shape.reduce((a, b) => a * b);
  // Away from 0: the curvature there is 1 / |x|^3.
  const options = { second: size <= 100, input: (u: number) => u < 0 ? u - 0.5 : u + 0.5 };
  for (const eps of size <= 100 ? [1e-8, 0.3] : [1e-8]) {
    Deno.test(`pixelNorm() of [${shape}], eps ${eps}`, () =>
      checkOp((x) => pixelNorm(x, eps), (x) => reference(x, C, eps), [shape], options));
  }
}

Deno.test("pixelNorm(): a row of zeros stays one, and its gradient is finite", async () => {
  const x = tensor([0, 0, 0, 3, -4, 0], [2, 3], true), y = pixelNorm(x);
  assertClose("y", await y.read(), [0, 0, 0, ...[3, -4, 0].map((v) => v / Math.sqrt(25 / 3))]);
  const [dx] = grad(sum(y), [x]);
  assertClose("dx", (await dx.read()).subarray(0, 3), [1e4, 1e4, 1e4]); // 1 / sqrt(eps)
});

Deno.test("pixelNorm() refuses rows that are too long for a loop", () => {
  assertThrows(() => pixelNorm(tensor(new Float32Array(32_769), [1, 32_769])), RangeError, "32769");
});
