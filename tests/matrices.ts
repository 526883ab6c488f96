/** Matrices to test with. */
import { type Matrix, zeros } from "../eval/matrix.ts";
import { random } from "./support.ts";

/** Numbers of which the seed decides. */
export function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const next = random(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, next) };
}

/** `a b^T`, as it is written. */
export function naive(a: Matrix, b: Matrix): Matrix {
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

/** `[n, n]` of a rank. */
export function covariance(n: number, rank: number, seed: number): Matrix {
  const x = randomMatrix(n, rank, seed);
  return naive(x, x);
}
