import { eigenvalues } from "../eigenvalues.ts";
import { addProduct, transpose, zeros } from "../matrix.ts";
import type { Features } from "../products.ts";
import type { Metric } from "./metric.ts";

/**
 * The Vendi score: `exp(-sum_i e_i log e_i)` of the eigenvalues `e` of `K / n`, where `K` holds the
 * cosines of all pairs of rows; how many images there are, in effect, from 1 to n.
 *
 * The eigenvalues other than 0 are also those of `X^T X / n`, which is taken where it is smaller.
 *
 * @throws {RangeError} If a row is 0 and has no direction.
 */
export function vendiScore({ count: n, dimension: d, values }: Features): number {
  const X = zeros(n, d);
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let c = i * d; c < (i + 1) * d; c++) squares += values[c] ** 2;
    if (!(squares > 0)) throw new RangeError(`vendi: the features of image ${i + 1} are all 0`);
    const length = Math.sqrt(squares * n);
    for (let c = i * d; c < (i + 1) * d; c++) X.data[c] = values[c] / length;
  }
  const rows = n < d ? X : transpose(X), product = zeros(rows.rows, rows.rows);
  addProduct(product, rows, rows);
  return Math.exp(eigenvalues(product).reduce((h, e) => e > 0 ? h - e * Math.log(e) : h, 0));
}

/** The Vendi score of the fakes. */
export const vendi: Metric = {
  name: "vendi",
  label: "Vendi",
  about: "Vendi score: how many different images there are, in effect; of real ones as its floor",
  source: "Friedman and Dieng 2023, https://arxiv.org/abs/2210.02410: q = 1, cosines of features " +
    "that are not centred, as dgm-eval and vendi-score's score_dual with normalize",
  input: "features",
  needs: [],
  numbers: { value: "more" },
  floor: true,
  measure: ({ fake }) => ({ value: vendiScore(fake), q: 1 }),
};
