import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { conv2d } from "../kernels/conv2d.ts";
import { add, div, full, mul, sub } from "../kernels/elementwise.ts";
import { maxPool } from "../kernels/pool.ts";
import { uniform } from "../kernels/random.ts";
import { broadcastTo } from "../kernels/reduce.ts";
import { bilinear, upNearest } from "../kernels/resample.ts";
import { concat, slice } from "../kernels/slice.ts";
import { reshape } from "./op.ts";
import { grad } from "../nn/grad.ts";
import { sum } from "../kernels/reduce.ts";
import { empty, scoped, type Shape, type Tensor, tensor } from "./tensor.ts";
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

Deno.test("numbers are operands, and gradients pass them", async () => {
  const x = tensor([1, -2, 4], [3], true);
  const cases: [Tensor, number[], number[]][] = [
    [add(x, 2), [3, 0, 6], [1, 1, 1]],
    [add(2, x), [3, 0, 6], [1, 1, 1]],
    [sub(x, 2), [-1, -4, 2], [1, 1, 1]],
    [sub(2, x), [1, 4, -2], [-1, -1, -1]],
    [mul(x, 3), [3, -6, 12], [3, 3, 3]],
    [mul(3, x), [3, -6, 12], [3, 3, 3]],
    [div(x, 4), [0.25, -0.5, 1], [0.25, 0.25, 0.25]],
    [div(4, x), [4, -2, 1], [-4, -1, -0.25]],
  ];
  for (const [y, values, slopes] of cases) {
    assertEquals([...await y.read()], values);
    assertEquals([...await grad(sum(y), [x])[0].read()], slopes);
  }
  assertThrows(() => add(1, 2), TypeError, "add: got the numbers 1 and 2, expected a tensor");
});

Deno.test("item gives the value of one element", async () => {
  assertEquals(await tensor([2.5], [1, 1]).item(), 2.5);
  await assertRejects(() => tensor([1, 2], [2]).item(), RangeError, "item: got shape [2]");
});

Deno.test("what a scope took back can neither be read nor written", async () => {
  let inner: Tensor | undefined;
  const kept = scoped(() => add(inner = tensor([1, 2], [2]), 1));
  const expected = "went back when its scope ended: return the tensor from scoped()";
  await assertRejects(() => inner!.read(), TypeError, expected);
  assertThrows(() => inner!.write([3, 4]), TypeError, expected);
  assertEquals([...await kept.read()], [2, 3]);
});

Deno.test("a tensor prints its shape, its op and the values that the host has seen", async () => {
  const x = tensor([1, 2, 3, 4, 5, 6.5], [2, 3]), y = add(x, 1);
  assertEquals(Deno.inspect(x), "Tensor [2, 3] [[1, 2, 3], [4, 5, 6.5]]");
  assertEquals(Deno.inspect(y), "Tensor [2, 3] of add (await its read() for the values)");
  await y.read();
  assertEquals(Deno.inspect(y), "Tensor [2, 3] of add [[2, 3, 4], [5, 6, 7.5]]");
  y.write([0, 0, 0, 0, 0, 0]);
  assertEquals(Deno.inspect(y), "Tensor [2, 3] of add [[0, 0, 0], [0, 0, 0]]");
  const large = tensor(Float32Array.from({ length: 100 }, (_, i) => i), [100]);
  assertEquals(Deno.inspect(large), "Tensor [100] [0, 1, 2, 3, 4, 5, 6, 7, ...]");
  assertEquals(Deno.inspect(tensor([7], [])), "Tensor [] 7");
});
