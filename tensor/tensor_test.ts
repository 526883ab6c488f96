import { assertThrows } from "@std/assert";
import { conv2d } from "../kernels/conv2d.ts";
import { full } from "../kernels/elementwise.ts";
import { maxPool } from "../kernels/pool.ts";
import { uniform } from "../kernels/random.ts";
import { broadcastTo } from "../kernels/reduce.ts";
import { bilinear, upNearest } from "../kernels/resample.ts";
import { concat, slice } from "../kernels/slice.ts";
import { reshape } from "./op.ts";
import { empty, type Shape, tensor } from "./tensor.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const shapes: Shape[] = [[0], [0, 3], [3, 0], [2, 0, 3], [-1, 3], [1.5], [NaN]];
for (const shape of shapes) {
  Deno.test(`there is no tensor of shape [${shape}]`, () => {
    const expected = `got shape [${shape}], expected sizes of at least 1`;
    assertThrows(() => tensor([], shape), RangeError, expected);
    assertThrows(() => empty(shape), RangeError, expected);
    assertThrows(() => full(shape, 1), RangeError, expected);
    assertThrows(() => uniform(shape, { seed: 1, stream: 1, counter: 1 }), RangeError, expected);
  });
}

Deno.test("ops refuse to make a tensor without elements", () => {
  const x = tensor(Array(16).fill(1), [1, 4, 4, 1]), w = tensor(Array(25).fill(1), [5, 5, 1, 1]);
  const refused: (() => unknown)[] = [
    () => slice(x, 1, 2, 0),
    () => slice(x, 1, 4, 0),
    () => reshape(x, [0, 16]),
    () => broadcastTo(x, [0, 4, 4, 1]),
    () => upNearest(x, 0),
    () => bilinear(x, [0, 4]),
    () => conv2d(x, w, { stride: 1, padding: 0 }),
    () => maxPool(x, { kernel: 5, stride: 1, pad: 0 }),
    () => concat([], 0),
  ];
  for (const op of refused) assertThrows(op, RangeError, ": ");
});
