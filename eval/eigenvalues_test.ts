import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { covariance } from "../tests/matrices.ts";
import { array } from "../tests/metrics_fixture.ts";
import { assertClose } from "../tests/support.ts";
import { eigenvalues } from "./eigenvalues.ts";
import { zeros } from "./matrix.ts";

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
