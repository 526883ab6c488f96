/**
 * The Frechet distance of two Gaussians, which is FID when they are those of Inception's features.
 *
 * @module
 */
import { cholesky } from "./cholesky.ts";
import { eigenvalues } from "./eigenvalues.ts";
import { addProduct, type Matrix, transpose, zeros } from "./matrix.ts";
import type { Statistics } from "./statistics.ts";

/**
 * `|m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^1/2)`; never below 0, and 0 for equal statistics.
 *
 * With `S1 = L L^T` the trace of the root is the sum of the square roots of the eigenvalues of
 * `L^T S2 L`: symmetric, without complex numbers, and right for singular covariances, of fewer
 * images than features, where `L` has as many columns as `S1` has rank.
 *
 * @throws {RangeError} If the numbers of features differ, or a count is below 1.
 * @see Heusel et al. 2017, https://arxiv.org/abs/1706.08500
 */
export function frechetDistance(a: Statistics, b: Statistics): number {
  const d = a.mean.length;
  if (b.mean.length !== d) {
    throw new RangeError(`frechetDistance: features differ: ${d} and ${b.mean.length}`);
  }
  for (const { count } of [a, b]) {
    if (count !== undefined && !(count >= 1)) {
      throw new RangeError(
        `frechetDistance: got statistics of ${count} images, expected at least 1`,
      );
    }
  }
  if (isEqual(a.mean, b.mean) && isEqual(a.covariance.data, b.covariance.data)) return 0;
  let distance = 0;
  for (let i = 0; i < d; i++) {
    const at = i * d + i;
    distance += (a.mean[i] - b.mean[i]) ** 2 + a.covariance.data[at] + b.covariance.data[at];
  }
  // The factor of lower rank: then no eigenvalue is a 0 with rounding, of which the root is large.
  const [factored, other] = (a.count ?? Infinity) <= (b.count ?? Infinity) ? [a, b] : [b, a];
  // Rounding takes the distance of nearly equal statistics to either side of 0.
  return Math.max(0, distance - 2 * traceOfRoot(factored.covariance, other.covariance));
}

function isEqual(a: Float64Array, b: Float64Array): boolean {
  return a.every((x, i) => x === b[i]);
}

function traceOfRoot(factored: Matrix, other: Matrix): number {
  const { lower, order } = cholesky(factored), d = order.length, rank = lower.columns;
  const L = transpose(lower), S = zeros(d, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) S.data[i * d + j] = other.data[order[i] * d + order[j]];
  }
  // Column j of the factor begins at row j.
  const from = (j: number) => j, half = zeros(d, rank), M = zeros(rank, rank);
  addProduct(half, S, L, { from });
  addProduct(M, transpose(half), L, { from, upper: true });
  for (let i = 0; i < rank; i++) {
    for (let j = i; j < rank; j++) M.data[j * rank + i] = M.data[i * rank + j];
  }
  return eigenvalues(M).reduce((sum, e) => sum + Math.sqrt(Math.max(0, e)), 0);
}
