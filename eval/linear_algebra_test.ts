import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { array } from "../tests/metrics_fixture.ts";
import { assertClose, random } from "../tests/support.ts";
import {
  addProduct,
  cholesky,
  eigenvalues,
  type Matrix,
  transpose,
  zeros,
} from "./linear_algebra.ts";

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const next = random(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, next) };
}
function naive(a: Matrix, b: Matrix): Matrix {
  const c = zeros(a.rows, b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      for (let k = 0; k < a.columns; k++) {
        c.data[i * b.rows + j] += a.data[i * a.columns + k] * b.data[j * b.columns + k];
      }
    }
  }
  return c;
}
function covariance(n: number, rank: number, seed: number): Matrix {
  const x = randomMatrix(n, rank, seed);
  return naive(x, x);
}
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

for (const [n, rank] of [[1, 1], [5, 5], [37, 37], [40, 11], [9, 0]]) {
  Deno.test(`cholesky() of ${n} rows and rank ${rank}`, () => {
    const s = covariance(n, rank, 4), { lower, order } = cholesky(s);
    assertEquals(lower.columns, rank);
    assertEquals([...order].sort((a, b) => a - b), [...Array(n).keys()]);
    const back = naive(lower, lower).data;
    const permuted = back.map((_, i) => s.data[order[Math.floor(i / n)] * n + order[i % n]]);
    assertClose("L L^T", back, permuted, { rtol: 1e-12, atol: 1e-11 });
  });
}

Deno.test("eigenvalues() are NumPy's", () => {
  const data = Float64Array.from(array("eigenvalues/s"));
  const found = eigenvalues({ rows: 24, columns: 24, data }).sort();
  assertClose("eigenvalues", found, array("eigenvalues/of"), { rtol: 1e-7, atol: 1e-7 });
});

Deno.test("eigenvalues() that are known: 2 - 2 cos(pi k / (n + 1))", () => {
  for (const n of [1, 2, 3, 64, 201]) {
    const s = zeros(n, n);
    for (let i = 0; i < n; i++) {
      s.data[i * n + i] = 2;
      if (i > 0) s.data[i * n + i - 1] = s.data[(i - 1) * n + i] = -1;
    }
    const expected = Float64Array.from(
      { length: n },
      (_, k) => 2 - 2 * Math.cos(Math.PI * (k + 1) / (n + 1)),
    );
    assertClose(`${n}`, eigenvalues(s).sort(), expected, { rtol: 1e-12, atol: 1e-14 });
  }
});

Deno.test("eigenvalues() keep trace and squares of a full matrix; low rank leaves zeros", () => {
  const n = 101, s = covariance(n, 30, 6), found = eigenvalues(s).sort();
  const trace = s.data.reduce((t, x, i) => i % (n + 1) ? t : t + x, 0);
  assertAlmostEquals(found.reduce((a, b) => a + b), trace, 1e-10 * trace);
  const squares = s.data.reduce((t, x) => t + x * x, 0);
  assertAlmostEquals(found.reduce((t, e) => t + e * e, 0), squares, 1e-10 * squares);
  assertClose("zeros", found.slice(0, n - 30), new Float64Array(n - 30), { rtol: 0, atol: 1e-11 });
  assertEquals(eigenvalues(zeros(7, 7)), new Float64Array(7));
});

Deno.test("eigenvalues() of what is not finite throw", () => {
  const s = covariance(5, 5, 7);
  s.data[7] = s.data[11] = NaN;
  assertThrows(() => eigenvalues(s), RangeError, "not finite");
});

Deno.test("transpose() of tiles and more", () => {
  const a = randomMatrix(33, 70, 8), t = transpose(a);
  assertEquals([t.rows, t.columns], [70, 33]);
  for (let i = 0; i < 33; i++) {
    for (let j = 0; j < 70; j++) assertEquals(t.data[j * 33 + i], a.data[i * 70 + j]);
  }
});
