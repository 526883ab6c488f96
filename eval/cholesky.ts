/**
 * Cholesky's factorisation, of singular matrices, too.
 *
 * @module
 */
import { type Matrix, zeros } from "./matrix.ts";

/** A factor of a symmetric matrix: `S[order[i], order[j]] = sum_k lower[i, k] lower[j, k]`. */
export interface Factor {
  /** `[n, rank]`, 0 above the diagonal. */
  readonly lower: Matrix;
  /** Which row of the matrix each row of the factor is. */
  readonly order: Int32Array;
}

/**
 * Cholesky's factor of a positive semidefinite matrix, largest remaining diagonal first; where nothing
 * is left but rounding, it ends, and the factor has as many columns as the matrix has rank.
 *
 * @param s Symmetric, `[n, n]`; only read.
 * @see Higham 2002, Accuracy and Stability of Numerical Algorithms, section 10.3
 */
export function cholesky(s: Matrix): Factor {
  const n = s.rows, S = s.data, order = Int32Array.from({ length: n }, (_, i) => i);
  const rest = Float64Array.from(order, (i) => S[i * n + i]);
  const L = new Float64Array(n * n), column = new Float64Array(n);
  const least = n * Number.EPSILON * rest.reduce((a, b) => Math.max(a, b), 0);
  let rank = 0;
  for (let j = 0; j < n; j++, rank++) {
    let pivot = j;
    for (let i = j + 1; i < n; i++) if (rest[i] > rest[pivot]) pivot = i;
    if (!(rest[pivot] > least)) break;
    if (pivot !== j) {
      [order[j], order[pivot]] = [order[pivot], order[j]];
      [rest[j], rest[pivot]] = [rest[pivot], rest[j]];
      column.set(L.subarray(j * n, j * n + j));
      L.copyWithin(j * n, pivot * n, pivot * n + j);
      L.set(column.subarray(0, j), pivot * n);
    }
    const diagonal = Math.sqrt(rest[j]), row = j * n, from = order[j] * n;
    L[row + j] = diagonal;
    for (let i = j + 1; i < n; i++) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, k = 0;
      const at = i * n;
      for (; k + 4 <= j; k += 4) {
        s0 += L[at + k] * L[row + k];
        s1 += L[at + k + 1] * L[row + k + 1];
        s2 += L[at + k + 2] * L[row + k + 2];
        s3 += L[at + k + 3] * L[row + k + 3];
      }
      for (; k < j; k++) s0 += L[at + k] * L[row + k];
      const l = (S[from + order[i]] - (s0 + s1 + s2 + s3)) / diagonal;
      L[at + j] = l;
      rest[i] -= l * l;
    }
  }
  const lower = zeros(n, rank);
  for (let i = 0; i < n; i++) {
    lower.data.set(L.subarray(i * n, i * n + Math.min(rank, i + 1)), i * rank);
  }
  return { lower, order };
}
