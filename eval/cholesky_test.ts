import { assertEquals } from "@std/assert";
import { covariance, naive } from "../tests/matrices.ts";
import { assertClose } from "../tests/support.ts";
import { cholesky } from "./cholesky.ts";

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
