/**
 * Eigenvalues of symmetric matrices.
 *
 * Written here, because libraries compute eigenvectors, too, which nobody needs, over rows of arrays:
 * ml-matrix took over four times the processor time of a whole distance at 768 rows.
 *
 * @module
 */
import type { Matrix } from "./matrix.ts";

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
