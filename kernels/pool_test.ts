import { assertEquals, assertThrows } from "@std/assert";
import { noGrad } from "../tensor/op.ts";
import { type Shape, tensor } from "../tensor/tensor.ts";
import { grad } from "../nn/grad.ts";
import { checkOp } from "../tests/check.ts";
import { pooled } from "../tests/images.ts";
import { mul } from "./elementwise.ts";
import { averagePool, maxPool, type Windows } from "./pool.ts";
import { sum } from "./reduce.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;

const cases: [Shape, Windows][] = [
  [[1, 1, 1, 1], { kernel: 1, stride: 1, pad: 0 }],
  [[2, 5, 7, 3], { kernel: 2, stride: 2, pad: 0 }], // a row and a column are left over
  [[1, 5, 7, 3], { kernel: 3, stride: 2, pad: 1 }],
  [[2, 4, 3, 4], { kernel: 3, stride: 1, pad: 1 }], // four channels at a time
  [[1, 7, 5, 8], { kernel: 3, stride: 2, pad: 0 }],
  [[1, 7, 11, 1], { kernel: 2, stride: 3, pad: 1 }], // pixels between the windows
  [[1, 5, 4, 2], { kernel: 4, stride: 1, pad: 2 }],
  [[1, 8, 8, 1], { kernel: 1, stride: 1, pad: 0 }], // a workgroup
  [[1, 13, 5, 1], { kernel: 5, stride: 1, pad: 2 }], // one invocation more
];
for (const [shape, windows] of cases) {
  const { kernel, stride, pad } = windows, second = shape.reduce((a, b) => a * b) < 110;
  const name = `of [${shape}], kernel ${kernel}, stride ${stride}, pad ${pad}`;
  Deno.test(`maxPool() ${name}`, () =>
    checkOp(
      (x) => maxPool(x, windows),
      (x) => pooled(x, shape, windows, (values) => Math.max(...values)),
      [shape],
      // Far enough apart that differences do not change which is the largest.
      { second, input: (u) => Math.round(u * 1e4) / 1e2, atol: 1e-4 },
    ));
  for (const countPadding of [true, false]) {
    Deno.test(`averagePool() ${name}, ${countPadding ? "with" : "without"} the border`, () =>
      checkOp(
        (x) => averagePool(x, { ...windows, countPadding }),
        (x) =>
          pooled(
            x,
            shape,
            windows,
            (values) => countPadding ? values.reduce((a, b) => a + b) / kernel ** 2 : mean(values),
          ),
        [shape],
        { second },
      ));
  }
}
const windows = { kernel: 3, stride: 1, pad: 1 };
Deno.test("the gradient of maxPool() goes to the first of equal pixels", async () => {
  for (const C of [1, 4]) {
    const x = tensor(Array(9 * C).fill(-2), [1, 3, 3, C], true);
    const weights = Array.from({ length: 9 * C }, (_, i) => Math.floor(i / C) + 1);
    const [dx] = grad(sum(mul(maxPool(x, windows), tensor(weights, [1, 3, 3, C]))), [x]);
    const first = [...await dx.read()].filter((_, i) => i % C === 0);
    assertEquals(first, [1 + 2 + 4 + 5, 3 + 6, 0, 7 + 8, 9, 0, 0, 0, 0]);
  }
});
Deno.test("maxPool() lets NaN and -infinity through", async () => {
  for (const C of [1, 4]) {
    const repeat = (values: number[]) => values.flatMap((v) => Array(C).fill(v));
    const y = noGrad(() => maxPool(tensor(repeat([1, NaN, 2, 5]), [1, 1, 4, C]), windows));
    assertEquals([...await y.read()], repeat([NaN, NaN, NaN, 5]));
    const low = noGrad(() => maxPool(tensor(repeat([-Infinity]), [1, 1, 1, C]), windows));
    assertEquals([...await low.read()], repeat([-Infinity]));
  }
});
Deno.test("windows that do not fit are refused", () => {
  const x = tensor([1, 2, 3, 4], [1, 2, 2, 1]);
  const refuse = (windows: Windows, part: string) =>
    assertThrows(() => maxPool(x, windows), RangeError, part);
  refuse({ kernel: 3, stride: 1, pad: 0 }, "kernel 3 does not fit into [1,2,2,1]");
  refuse({ kernel: 3, stride: 1, pad: 2 }, "at most half of kernel 3");
  refuse({ kernel: 2, stride: 0, pad: 0 }, "stride 0");
  refuse({ kernel: 400, stride: 400, pad: 200 }, "kernel 400 is too large at stride 400");
  assertThrows(() => maxPool(tensor([1], [1]), windows), RangeError, "got shape [1]");
});
