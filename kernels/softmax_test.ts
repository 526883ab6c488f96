import { assertThrows } from "@std/assert";
import { type Shape, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { square } from "./elementwise.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

function softmaxReference(x: number[], cols: number): number[] {
  return logReference(x, cols).map(Math.exp);
}
function logReference(x: number[], cols: number): number[] {
  const y: number[] = [];
  for (let start = 0; start < x.length; start += cols) {
    const row = x.slice(start, start + cols), most = row.reduce((a, b) => Math.max(a, b));
    const shift = Math.log(row.reduce((total, v) => total + Math.exp(v - most), 0));
    y.push(...row.map((v) => v - most - shift));
  }
  return y;
}

const variants = ["lane", "group"] as const;
// one element; primes; rows as long as a workgroup and one longer; as many rows, and one more
const shapes: Shape[] = [
  [1],
  [7],
  [3, 1],
  [2, 3, 5],
  [2, 64],
  [2, 65],
  [64, 2],
  [65, 3],
  [2, 131],
  [2, 8],
  [1, 256],
  [2, 260],
];
for (const variant of variants) {
  for (const shape of shapes) {
    const cols = shape[shape.length - 1];
    const options = { second: shape.reduce((a, b) => a * b) <= 30, input: (u: number) => 3 * u };
    Deno.test(`softmax() of [${shape}], a row a ${variant}`, () =>
      checkOp(
        (x) => softmax(x, { variant }),
        (x) => softmaxReference(x, cols),
        [shape],
        options,
      ));
    Deno.test(`logSoftmax() of [${shape}], a row a ${variant}`, () =>
      checkOp(
        (x) => logSoftmax(x, { variant }),
        (x) => logReference(x, cols),
        [shape],
        options,
      ));
  }
  for (const shape of [[5], [2, 3], [2, 2, 4]]) {
    const cols = shape[shape.length - 1], options = { second: true };
    // Squared, so that the cotangent depends on the input, too.
    const squares = (values: number[]) => values.map((v) => v * v);
    Deno.test(`the square of softmax() of [${shape}], a row a ${variant}`, () =>
      checkOp(
        (x) => square(softmax(x, { variant })),
        (x) => squares(softmaxReference(x, cols)),
        [shape],
        options,
      ));
    Deno.test(`the square of logSoftmax() of [${shape}], a row a ${variant}`, () =>
      checkOp(
        (x) => square(logSoftmax(x, { variant })),
        (x) => squares(logReference(x, cols)),
        [shape],
        options,
      ));
  }
  Deno.test(`softmax() of large numbers, a row a ${variant}`, async () => {
    const x = [1000, 1001, -1000, -2000, -2003, -2001, 5, 5, 5], rows = tensor(x, [3, 3]);
    assertClose("y", await softmax(rows, { variant }).read(), softmaxReference(x, 3));
    assertClose("log y", await logSoftmax(rows, { variant }).read(), logReference(x, 3));
  });
  Deno.test(`softmax() does not overflow, wherever the largest is, a row a ${variant}`, async () => {
    for (const cols of [3, 8, 131, 260]) {
      for (let place = 0; place < cols; place += cols > 9 ? 29 : 1) {
        const row = Array.from({ length: cols }, (_, i) => i === place ? 200 : i % 3);
        const y = await softmax(tensor(row, [cols]), { variant }).read();
        assertClose(`y, largest at ${place}`, y, softmaxReference(row, cols));
        const log = await logSoftmax(tensor(row, [cols]), { variant }).read();
        assertClose(`log y, largest at ${place}`, log, logReference(row, cols));
      }
    }
  });
  Deno.test(`rows of softmax() sum to 1, a row a ${variant}`, async () => {
    const y = await softmax(tensor(randoms(300 * 257, 4), [300, 257]), { variant }).read();
    const sums = Array.from(
      { length: 300 },
      (_, row) => y.slice(257 * row, 257 * row + 257).reduce((a, b) => a + b),
    );
    assertClose("sums", sums, sums.map(() => 1));
  });
}
Deno.test("softmax() chooses a variant that can do a long row", async () => {
  for (const cols of [19_999, 20_001, 100_003]) {
    const x = randoms(2 * cols, 7), close = { atol: 1e-9 };
    const y = await softmax(tensor(x, [2, cols])).read();
    assertClose("y", y, softmaxReference(x, cols), close);
  }
  assertThrows(
    () => softmax(tensor(randoms(20_001, 7), [20_001]), { variant: "lane" }),
    RangeError,
    "at most 20000 columns",
  );
});
Deno.test("more rows than workgroups along one dimension", async () => {
  for (const variant of variants) {
    const x = randoms(2 * 70_001, 8), close = { atol: 1e-6 };
    const y = await softmax(tensor(x, [70_001, 2]), { variant }).read();
    assertClose("y", y, softmaxReference(x, 2), close);
  }
});
