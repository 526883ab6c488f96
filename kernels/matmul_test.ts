import { assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { product } from "../tests/product.ts";
import { matmul } from "./matmul.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// one; primes; a whole tile; one more; few columns; many columns
const sizes = [[1, 1, 1, 1], [1, 3, 5, 7], [1, 16, 8, 32], [1, 17, 9, 33], [1, 5, 12, 3], [
  1,
  2,
  4,
  130,
], [3, 4, 6, 5]];
for (const size of sizes) {
  const [batch, M, K, N] = size, lead = batch > 1 ? [batch] : [];
  for (const [ta, tb] of [[false, false], [true, false], [false, true], [true, true]]) {
    const scale = ta ? 2 : 1;
    Deno.test(`matmul() of [${size}]${ta ? ", a transposed" : ""}${tb ? ", b transposed" : ""}`, () =>
      checkOp(
        (a, b) => matmul(a, b, { a: ta, b: tb, scale }),
        (a, b) => product(size, ta, tb)(a, b).map((v) => scale * v),
        [[...lead, ...(ta ? [K, M] : [M, K])], [...lead, ...(tb ? [N, K] : [K, N])]],
        { second: M * K * N < 120 },
      ));
  }
}

for (const [M, K, N] of [[3, 2, 5], [5, 3, 8]]) {
  for (const slope of [0, 0.2, 1]) {
    Deno.test(`matmul() of [${[M, K, N]}] with bias and leaky ReLU of ${slope}`, () =>
      checkOp(
        (a, b, bias) => matmul(a, b, { b: true }, { bias, slope }),
        (a, b, bias) =>
          product([1, M, K, N], false, true)(a, b).map((v, i) => v + bias[i % N])
            .map((v) => v > 0 ? v : slope * v),
        [[M, K], [N, K], [N]],
        // Multiples of 1/4, their products' sums of 1/16, and a bias between these: none at the bend.
        { second: true, input: (u, i) => Math.round(4 * u) / 4 + (i === 2 ? 1 / 32 : 0) },
      ));
  }
}

Deno.test("matmul() refuses sizes that do not fit", () => {
  const a = tensor([1, 2], [1, 2]), b = tensor([1, 2, 3], [3, 1]);
  assertThrows(() => matmul(a, b), RangeError, "a is [1,2], b is [3,1]");
});
