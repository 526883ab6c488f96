import { assertThrows } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { type Shape, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { biasRelu } from "./bias_relu.ts";
await openGpu();

const shapes: Shape[] = [
  [1],
  [7, 13],
  [2, 3, 5, 4],
  [8, 8], // sixteen vec4
  [64, 4], // a workgroup of vec4
  [5, 13, 4], // one more
  [3, 64, 8],
];
for (const shape of shapes) {
  const C = shape.at(-1)!, second = shape.reduce((a, b) => a * b) < 130;
  for (const slope of [0, 0.2]) {
    Deno.test(`biasRelu() of [${shape}], slope ${slope}`, () =>
      checkOp(
        (x, b) => biasRelu(x, b, slope),
        (x, b) => x.map((v, i) => v + b[i % C]).map((v) => v > 0 ? v : slope * v),
        [shape, [C]],
        // Multiples of 1/16, those of b shifted by half of that: no sum lies on the bend.
        { second, input: (u, which) => Math.round(8 * u) / 16 + which / 32 },
      ));
  }
}
Deno.test("biasRelu() refuses what does not fit", () => {
  const x = tensor([1, 2], [1, 2]);
  assertThrows(() => biasRelu(x, tensor([1], [1])), RangeError, "x is [1,2], b is [1]");
  assertThrows(() => biasRelu(x, tensor([1, 2], [2]), -1), RangeError, "slope -1");
});
