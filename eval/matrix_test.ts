import { assertEquals } from "@std/assert";
import { naive, randomMatrix } from "../tests/matrices.ts";
import { assertClose } from "../tests/support.ts";
import { addProduct, transpose, zeros } from "./matrix.ts";

const exact = { rtol: 1e-12, atol: 1e-12 };

for (
  const [m, n, k] of [[1, 1, 1], [4, 2, 3], [7, 5, 300], [66, 67, 9], [64, 130, 256], [3, 65, 257]]
) {
  Deno.test(`addProduct() of [${m}, ${k}] and [${n}, ${k}]`, () => {
    const a = randomMatrix(m, k, 1), b = randomMatrix(n, k, 2), c = randomMatrix(m, n, 3);
    const expected = naive(a, b).data.map((x, i) => x + c.data[i]);
    addProduct(c, a, b);
    assertClose("c", c.data, expected, exact);
  });
}

Deno.test("addProduct() leaves out zeros and the lower half where asked", () => {
  const n = 150, a = randomMatrix(n, n, 1), b = randomMatrix(n, n, 2), c = zeros(n, n);
  b.data.forEach((_, i) => i % n < Math.floor(i / n) ? b.data[i] = 0 : 0);
  addProduct(c, a, b, { from: (j) => j, upper: true });
  const expected = naive(a, b).data,
    at = [...expected.keys()].filter((i) => i % n >= Math.floor(i / n));
  assertClose("c", at.map((i) => c.data[i]), at.map((i) => expected[i]), exact);
});

Deno.test("transpose() of tiles and more", () => {
  const a = randomMatrix(33, 70, 8), t = transpose(a);
  assertEquals([t.rows, t.columns], [70, 33]);
  for (let i = 0; i < 33; i++) {
    for (let j = 0; j < 70; j++) assertEquals(t.data[j * 33 + i], a.data[i * 70 + j]);
  }
});
