import { assertEquals, assertThrows } from "@std/assert";
import { flatten, placeOf } from "../nn/flat.ts";
import { grad } from "../nn/grad.ts";
import { type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import {
  asMatrix,
  divideBySigmas,
  measureSigmas,
  powerIteration,
  sigmaOf,
  spectralGroups,
} from "./power_iteration.ts";
import { mul } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { largest, spectralNorm } from "./spectral_norm.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** The rows of the matrix that a weight is, in float64. */
function matrixOf(w: ArrayLike<number>, shape: Shape, axis: number): number[][] {
  const { A, R, B } = asMatrix(shape, axis);
  return Array.from(
    { length: R },
    (_, r) =>
      Array.from(
        { length: A * B },
        (_, q) => w[(Math.floor(q / B) * R + r) * B + q % B],
      ),
  );
}
const times = (M: number[][], x: number[]) =>
  M.map((row) => row.reduce((t, m, i) => t + m * x[i], 0));
const transposed = (M: number[][]) => M[0].map((_, i) => M.map((row) => row[i]));
const unit = (x: number[]) => x.map((e) => e / Math.hypot(...x));

/** The largest singular value, by Jacobi rotations of M M^T (or M^T M, if that is smaller). */
function largestSingularValue(M: number[][]): number {
  if (M.length > M[0].length) M = transposed(M);
  const S = M.map((a) => M.map((b) => a.reduce((t, ai, i) => t + ai * b[i], 0))), n = S.length;
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(S[p][q]) < 1e-300) continue;
        const angle = 0.5 * Math.atan2(2 * S[p][q], S[q][q] - S[p][p]);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < n; k++) {
          [S[k][p], S[k][q]] = [c * S[k][p] - s * S[k][q], s * S[k][p] + c * S[k][q]];
        }
        for (let k = 0; k < n; k++) {
          [S[p][k], S[q][k]] = [c * S[p][k] - s * S[q][k], s * S[p][k] + c * S[q][k]];
        }
      }
    }
  }
  return Math.sqrt(Math.max(...S.map((row, i) => row[i])));
}

// a convolution, a transposed one, a linear layer; one element; primes; more than a workgroup
const cases: [Shape, number][] = [
  [[1, 1], 0],
  [[3, 3, 5, 7], 3],
  [[3, 3, 5, 7], 2],
  [[7, 11], 0],
  [[4, 4, 3, 1], 3],
  [[1, 65], 0],
  [[16, 67], 0],
  [[3, 150, 2], 1],
  [[2, 2, 2, 72], 3],
  [[4, 4, 2, 40], 2],
  [[9, 9, 4, 3], 3],
];
/** A weight by itself, and both of its vectors in one buffer. */
function placed(w: number[], u: number[], v: number[]) {
  const [wt, ut, vt] = [w, u, v].map((x) => tensor(x, [x.length]));
  flatten([ut, vt]);
  return { ut, vt, places: { w: placeOf(wt), u: placeOf(ut), v: placeOf(vt) } };
}

for (const [shape, axis] of cases) {
  const n = sizeOf(shape), R = shape[axis], name = `[${shape}] along axis ${axis}`;
  if (n > 1) {
    Deno.test(`spectralNorm() of ${name}`, () =>
      checkOp(
        (w) =>
          spectralNorm(w, tensor(randoms(R, 5), [R]), tensor(randoms(n / R, 6), [n / R]), axis),
        (w) => {
          const u = randoms(R, 5), v = randoms(n / R, 6);
          const sigma = times(matrixOf(w, shape, axis), v).reduce((t, e, r) => t + e * u[r], 0);
          return w.map((e) => e / sigma);
        },
        [shape],
        // Away from sigma = 0, where the quotient bends most: larger weights beside u and v.
        { second: n < 40, seed: 3, input: (x) => x + 0.5, rtol: 5e-4, atol: 5e-5 },
      ));
  }

  Deno.test(`one powerIteration() of ${name}`, async () => {
    const given = [randoms(n, 1), randoms(R, 2), randoms(n / R, 3)],
      M = matrixOf(given[0], shape, axis);
    const { ut, vt, places } = placed(given[0], given[1], given[2]);
    const [group] = spectralGroups([{ ...places, shape, axis }]);
    powerIteration(group);
    const right = unit(times(transposed(M), given[1]));
    assertClose("v", await vt.read(), right);
    assertClose("u", await ut.read(), unit(times(M, right)));
  });
}

Deno.test("many iterations find the largest singular values, of all matrices at once", async () => {
  // In two buffers, end to end.
  const sizes = cases.map(([shape, axis]) => [sizeOf(shape), shape[axis]]);
  const ends = (of: (n: number, R: number) => number) => {
    let end = 0;
    // Each begins at a multiple of 256 bytes, as in nn/flat.ts.
    const size = (n: number, R: number) => Math.ceil(of(n, R) / 64) * 64;
    return { starts: sizes.map(([n, R]) => (end += size(n, R)) - size(n, R)), total: () => end };
  };
  const at = [ends((n) => n), ends((_, R) => R), ends((n, R) => n / R)];
  const values = at.map(({ total }, i) => randoms(total(), 10 + i));
  const { ut, vt, places: { w, u, v } } = placed(values[0], values[1], values[2]);
  const groups = spectralGroups(cases.map(([shape, axis], i) => ({
    w: { ...w, offset: w.offset + 4 * at[0].starts[i] },
    u: { ...u, offset: u.offset + 4 * at[1].starts[i] },
    v: { ...v, offset: v.offset + 4 * at[2].starts[i] },
    shape,
    axis,
  })));
  assertEquals(groups.map(({ members }) => members), [[0, 1, 10], [2, 3, 5, 6, 7], [4, 9], [8]]);
  for (let i = 0; i < 400; i++) groups.forEach(powerIteration);
  const [us, vs] = await Promise.all([ut.read(), vt.read()]);
  for (const [i, [shape, axis]] of cases.entries()) {
    const [n, R] = sizes[i],
      part = (x: ArrayLike<number>, which: number, size: number) =>
        Array.from(x).slice(at[which].starts[i], at[which].starts[i] + size);
    const own = part(values[0], 0, n), sigma = largestSingularValue(matrixOf(own, shape, axis));
    const [ui, vi] = [part(us, 1, R), part(vs, 2, n / R)];
    const found = largest(tensor(own, shape), tensor(ui, [R]), tensor(vi, [n / R]), axis);
    assertClose(`sigma of [${shape}]`, await found.read(), [sigma], { rtol: 1e-5, atol: 0 });
    // What is normalised has 1 for its largest singular value.
    const y = await spectralNorm(tensor(own, shape), tensor(ui, [R]), tensor(vi, [n / R]), axis)
      .read();
    assertClose("sigma after", [largestSingularValue(matrixOf(y, shape, axis))], [1], {
      rtol: 1e-5,
    });
  }
});

for (const axis of [0, 1]) {
  Deno.test(`a weight that needs more than a round of each kernel, along axis ${axis}`, async () => {
    const shape = [129, 131], n = sizeOf(shape), R = shape[axis];
    const given = [randoms(n, 1), randoms(R, 2), randoms(n / R, 3)], [, u, v] = given;
    const { ut, vt, places } = placed(given[0], u, v), dy = randoms(n, 4);
    const sigma = times(matrixOf(given[0], shape, axis), v).reduce((t, e, r) => t + e * u[r], 0);
    const [group] = spectralGroups([{ ...places, shape, axis }]);
    const quotient = tensor(new Float32Array(n), shape), y = given[0].map((e) => e / sigma);
    measureSigmas(group);
    divideBySigmas(group, quotient.storage);
    assertClose("quotient", await quotient.read(), y, { rtol: 1e-3 });
    const weight = tensor(given[0], shape, true),
      known = {
        sigma: sigmaOf(group, 0),
        quotient: quotient.storage,
      };
    const loss = sum(mul(spectralNorm(weight, ut, vt, axis, known), tensor(dy, shape)));
    const product = dy.reduce((t, e, i) => t + e * y[i], 0);
    const expected = dy.map((e, i) => {
      const [row, column] = [Math.floor(i / 131), i % 131];
      return (e - product * u[axis ? column : row] * v[axis ? row : column]) / sigma;
    });
    const top = Math.max(...expected.map(Math.abs));
    assertClose("dw", await grad(loss, [weight])[0].read(), expected, {
      rtol: 1e-3,
      atol: 1e-4 * top,
    });
  });
}

Deno.test("spectralNorm() refuses vectors that do not fit", () => {
  const w = tensor(new Float32Array(6), [2, 3]), u = tensor([1, 0], [2]);
  assertThrows(() => spectralNorm(w, u, u, 0), RangeError, "expected 2 and 3 elements");
});

Deno.test("vectors in buffers of their own are refused: none may be bound twice to be written", () => {
  const [w, u, v] = [12, 3, 4].map((n) => placeOf(tensor(randoms(n, n), [n])));
  assertThrows(
    () => spectralGroups([{ w, u, v, shape: [4, 3], axis: 1 }]),
    RangeError,
    "different buffers",
  );
});
