/**
 * Dense linear algebra in float64, as much as distances of Gaussians need, for matrices of some
 * thousand rows. Matrices are row-major.
 *
 * Written here, because libraries compute eigenvectors, too, which nobody needs, over rows of arrays:
 * ml-matrix took over four times the processor time of all of this at 768 rows.
 *
 * @module
 */

/** A matrix, its rows one after another. */
export interface Matrix {
  /** Rows. */
  readonly rows: number;
  /** Columns. */
  readonly columns: number;
  /** Row by row. */
  readonly data: Float64Array;
}

/** A matrix of zeros. */
export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

const TILE = 64; // rows of a tile of the result: with DEPTH, both operands' parts fit the second cache
const DEPTH = 256;

/** Which terms and which results of a product are wanted. */
export interface Part {
  /** The first column of `b` that is not 0 in row `j`; 0 if left out. */
  readonly from?: (j: number) => number;
  /** Only results with `j >= i`. */
  readonly upper?: boolean;
}

/**
 * `c += a b^T`.
 *
 * @param a `[m, k]`
 * @param b `[n, k]`
 * @param c `[m, n]`
 */
export function addProduct(c: Matrix, a: Matrix, b: Matrix, { from, upper }: Part = {}): void {
  const m = a.rows, n = b.rows, K = a.columns;
  for (let j0 = 0; j0 < n; j0 += TILE) {
    const j1 = Math.min(n, j0 + TILE);
    for (let k0 = from ? from(j0) : 0; k0 < K; k0 += DEPTH) {
      const k1 = Math.min(K, k0 + DEPTH);
      for (let i0 = 0; i0 < (upper ? j1 : m); i0 += TILE) {
        addTile(c, a, b, i0, Math.min(m, i0 + TILE), j0, j1, k0, k1);
      }
    }
  }
}

/** Part of a product: rows `i0..i1` of `a`, `j0..j1` of `b`, terms `k0..k1`; 4 x 4 sums at a time. */
function addTile(
  c: Matrix,
  a: Matrix,
  b: Matrix,
  i0: number,
  i1: number,
  j0: number,
  j1: number,
  k0: number,
  k1: number,
): void {
  const A = a.data, B = b.data, C = c.data, lda = a.columns, ldb = b.columns, ldc = c.columns;
  let i = i0;
  for (; i + 4 <= i1; i += 4) {
    const a0 = i * lda, a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda;
    let j = j0;
    for (; j + 2 <= j1; j += 2) {
      const b0 = j * ldb, b1 = b0 + ldb;
      let s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
      for (let k = k0; k < k1; k++) {
        const x = B[b0 + k], y = B[b1 + k], p = A[a0 + k], q = A[a1 + k], r = A[a2 + k];
        const s = A[a3 + k];
        s00 += p * x;
        s01 += p * y;
        s10 += q * x;
        s11 += q * y;
        s20 += r * x;
        s21 += r * y;
        s30 += s * x;
        s31 += s * y;
      }
      let at = i * ldc + j;
      C[at] += s00;
      C[at + 1] += s01;
      at += ldc;
      C[at] += s10;
      C[at + 1] += s11;
      at += ldc;
      C[at] += s20;
      C[at + 1] += s21;
      at += ldc;
      C[at] += s30;
      C[at + 1] += s31;
    }
    for (; j < j1; j++) addRows(c, a, b, i, i + 4, j, k0, k1);
  }
  for (let j = j0; i < i1 && j < j1; j++) addRows(c, a, b, i, i1, j, k0, k1);
}

/** The same for one row of `b`, a sum at a time. */
function addRows(
  c: Matrix,
  a: Matrix,
  b: Matrix,
  i0: number,
  i1: number,
  j: number,
  k0: number,
  k1: number,
): void {
  for (let i = i0; i < i1; i++) {
    let s = 0;
    for (let k = k0; k < k1; k++) s += a.data[i * a.columns + k] * b.data[j * b.columns + k];
    c.data[i * c.columns + j] += s;
  }
}

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

/** The transposed matrix. */
export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = zeros(columns, rows), B = 32;
  for (let i0 = 0; i0 < rows; i0 += B) {
    for (let j0 = 0; j0 < columns; j0 += B) {
      for (let i = i0; i < Math.min(rows, i0 + B); i++) {
        for (let j = j0; j < Math.min(columns, j0 + B); j++) {
          out.data[j * rows + i] = data[i * columns + j];
        }
      }
    }
  }
  return out;
}

/**
 * The eigenvalues of a symmetric matrix, in no order.
 *
 * Householder reflections make it tridiagonal; each one's application to the rest of the matrix and
 * the product that the next one needs are one pass over memory. Then implicit QL.
 *
 * @param s Symmetric, `[n, n]`; only its lower half is read.
 */
export function eigenvalues(s: Matrix): Float64Array {
  const { diagonal, below } = tridiagonal(s);
  implicitQL(diagonal, below);
  return diagonal;
}

/** The tridiagonal matrix with the same eigenvalues: `below[i]` stands left of `diagonal[i]`. */
function tridiagonal({ rows: n, data }: Matrix): {
  diagonal: Float64Array;
  below: Float64Array;
} {
  const A = data.slice(), diagonal = new Float64Array(n), below = new Float64Array(n);
  // The pending change of the rows that are left is -(v q^T + q v^T); p collects A u.
  let v = new Float64Array(n), q = new Float64Array(n), u = new Float64Array(n);
  let p = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const row = i * n, vi = v[i], qi = q[i];
    // Row i with what is pending applied; u reflects it onto its last element.
    let size = 0;
    for (let c = 0; c < i; c++) {
      const a = A[row + c] - vi * q[c] - qi * v[c];
      u[c] = a;
      size = Math.max(size, Math.abs(a));
    }
    diagonal[i] = A[row + i] - 2 * vi * qi;
    const last = u[i - 1];
    let norm = 0;
    if (size > 0) {
      for (let c = 0; c < i; c++) norm += (u[c] / size) ** 2;
      norm = size * Math.sqrt(norm);
    }
    below[i] = last > 0 ? -norm : norm;
    u[i - 1] = last - below[i];
    // h = |u|^2 / 2
    const h = norm * (norm + Math.abs(last));
    applyAndMultiply(A, n, i, v, q, u, p);
    if (h > 0) {
      let up = 0;
      for (let c = 0; c < i; c++) {
        p[c] /= h;
        up += u[c] * p[c];
      }
      const k = up / (2 * h);
      for (let c = 0; c < i; c++) p[c] -= k * u[c];
      [v, q, u, p] = [u, p, v, q];
    } else {
      v.fill(0);
      q.fill(0);
    }
  }
  if (n > 0) diagonal[0] = A[0] - 2 * v[0] * q[0];
  return { diagonal, below };
}

/**
 * For the first `m` rows of `A`, in its lower half: `A -= v q^T + q v^T`, then `p = A u`. Two rows at a
 * time, which halves what is read beside `A`.
 */
function applyAndMultiply(
  A: Float64Array,
  n: number,
  m: number,
  v: Float64Array,
  q: Float64Array,
  u: Float64Array,
  p: Float64Array,
): void {
  p.fill(0, 0, m);
  let r = 0;
  if (m % 2) {
    A[0] -= 2 * v[0] * q[0];
    p[0] += A[0] * u[0];
    r = 1;
  }
  for (; r < m; r += 2) {
    const x = r * n, y = x + n, s = r + 1;
    const vr = v[r], qr = q[r], ur = u[r], vs = v[s], qs = q[s], us = u[s];
    let pr = 0, ps = 0;
    for (let c = 0; c < r; c++) {
      const vc = v[c], qc = q[c], uc = u[c];
      const a = A[x + c] - vr * qc - qr * vc, b = A[y + c] - vs * qc - qs * vc;
      A[x + c] = a;
      A[y + c] = b;
      pr += a * uc;
      ps += b * uc;
      p[c] += a * ur + b * us;
    }
    const rr = A[x + r] -= 2 * vr * qr, sr = A[y + r] -= vs * qr + qs * vr;
    const ss = A[y + s] -= 2 * vs * qs;
    p[r] += pr + rr * ur + sr * us;
    p[s] += ps + sr * ur + ss * us;
  }
}

/**
 * Turns the diagonal of a tridiagonal matrix into its eigenvalues.
 *
 * @see Bowdler, Martin, Reinsch and Wilkinson 1968, "The QR and QL algorithms for symmetric matrices"
 * @throws {RangeError} If they do not settle, as of NaN.
 */
function implicitQL(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  e.copyWithin(0, 1);
  if (n > 0) e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let turn = 0;; turn++) {
      let m = l;
      for (; m < n - 1; m++) {
        const around = Math.abs(d[m]) + Math.abs(d[m + 1]);
        if (Math.abs(e[m]) <= Number.EPSILON * around) break;
      }
      if (m === l) break;
      if (turn === 60) {
        throw new RangeError("eigenvalues: they do not settle: the matrix is not finite");
      }
      let g = (d[l + 1] - d[l]) / (2 * e[l]), r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let s = 1, c = 1, p = 0, i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i], b = c * e[i];
        e[i + 1] = r = Math.hypot(f, g);
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
