/**
 * Matrices in float64, as much as statistics of features need: some thousand rows, row-major.
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
