import { conv2d } from "../kernels/conv2d.ts";
import { add, mul, softplus } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { spectralNorm } from "../kernels/spectral_norm.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertEquals } from "@std/assert";
import { checkOp } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { losses } from "./losses.ts";
import { driftPenalty, gradientPenalty, slopePenalty, weightPenalty } from "./penalties.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// A small D with a bend: sum over pixels and channels of a smooth function of a convolution. Its slope
// is written out here, so that the penalties' gradients are differences of float64 once, not twice.
const N = 2, H = 4, C = 2, O = 3, k = 3, P = H - k + 1;
const geometry = { stride: 1, padding: 0 };
const D = (w: Tensor, a: Tensor) => (x: Tensor) =>
  sum(mul(softplus(conv2d(x, w, geometry)), a), [1, 2, 3]);

/** |dD/dx|^2 of each image, in float64. */
function squaredSlopes(x: number[], w: number[], a: number[]): number[] {
  return Array.from({ length: N }, (_, n) => {
    const dx = new Array(H * H * C).fill(0);
    const taps = (Y: number, X: number, visit: (x: number, w: number) => void) => {
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < k; j++) {
          for (let c = 0; c < C; c++) {
            visit(((Y + i) * H + X + j) * C + c, ((i * k + j) * C + c) * O);
          }
        }
      }
    };
    for (let Y = 0; Y < P; Y++) {
      for (let X = 0; X < P; X++) {
        for (let o = 0; o < O; o++) {
          let y = 0;
          taps(Y, X, (at, tap) => y += x[n * H * H * C + at] * w[tap + o]);
          const slope = a[o] / (1 + Math.exp(-y));
          taps(Y, X, (at, tap) => dx[at] += slope * w[tap + o]);
        }
      }
    }
    return dx.reduce((t, e) => t + e * e, 0);
  });
}
const mean = (x: number[]) => x.reduce((t, e) => t + e, 0) / x.length;
const image = [N, H, H, C], size = N * H * H * C, weights = [k, k, C, O];
const close = { rtol: 2e-4, atol: 2e-5 };

Deno.test("slopePenalty() and its gradient, which is a second derivative of D", () =>
  checkOp(
    (x, w, a) => slopePenalty(D(w, a)(x), x),
    (x, w, a) => [mean(squaredSlopes(x, w, a))],
    [image, weights, [O]],
    close,
  ));

Deno.test("gradientPenalty() looks between real and fake", () => {
  const t = [0.25, 0.875];
  return checkOp(
    (real, fake, w, a) => gradientPenalty(D(w, a), real, fake, tensor(t, [N])),
    (real, fake, w, a) => {
      const x = real.map((e, i) => {
        const k = t[Math.floor(i / (size / N))];
        return k * e + (1 - k) * fake[i];
      });
      return [mean(squaredSlopes(x, w, a).map((s) => (Math.sqrt(s) - 1) ** 2))];
    },
    [image, image, weights, [O]],
    close,
  );
});

Deno.test("both penalties take inputs of any rank", async () => {
  const w = [0.5, -2], slope = 0.25 + 4;
  const linear = (x: Tensor) => sum(mul(x, tensor(w, [2])), [1]);
  const real = tensor([1, 2, 3, 4, 5, 6], [3, 2]), fake = tensor([0, 0, 0, 0, 0, 0], [3, 2]);
  assertClose("slope", await slopePenalty(linear(real), real).read(), [slope]);
  const penalty = gradientPenalty(linear, real, fake, tensor([0.1, 0.5, 0.9], [3]));
  assertClose("gradient penalty", await penalty.read(), [(Math.sqrt(slope) - 1) ** 2]);
});

Deno.test("slopePenalty() of a spectrally normalised D", () => {
  const u = randoms(O, 5), v = randoms(k * k * C, 6);
  return checkOp(
    (x, w, a) => {
      const normal = spectralNorm(w, tensor(u, [O]), tensor(v, [k * k * C]), 3);
      return slopePenalty(D(normal, a)(x), x);
    },
    (x, w, a) => {
      const sigma = w.reduce((t, e, i) => t + e * u[i % O] * v[Math.floor(i / O)], 0);
      return [mean(squaredSlopes(x, w.map((e) => e / sigma), a))];
    },
    [image, weights, [O]],
    { rtol: 1e-3, atol: 1e-4, seed: 2 },
  );
});

Deno.test("driftPenalty() and weightPenalty()", async () => {
  await checkOp((x) => driftPenalty(x), (x) => [mean(x.map((e) => e * e))], [[7]]);
  await checkOp(
    (w, bias, v) => add(weightPenalty([w, bias, v], 0.3, 0.5)!, sum(mul(bias, tensor([0], [1])))),
    (w, _, v) => [[...w, ...v].reduce((t, e) => t + 0.3 * Math.abs(e) + 0.25 * e * e, 0)],
    [[3, 5], [4], [2, 2, 1, 3]],
  );
  assertEquals(weightPenalty([], 0, 0), undefined);
});

Deno.test("relativistic losses are the paper's, with gradients for both", async () => {
  const softplus = (x: number) => Math.log1p(Math.exp(x)), relu = (x: number) => Math.max(x, 0);
  type Scores = number[];
  const pairs = (r: Scores, f: Scores) => [mean(r.map((e, i) => softplus(f[i] - e)))];
  const average = (r: Scores, f: Scores) => [
    mean(r.map((e) => softplus(mean(f) - e))) + mean(f.map((e) => softplus(e - mean(r)))),
  ];
  const hinges = (r: Scores, f: Scores) => [
    mean(r.map((e) => relu(1 - e + mean(f)))) + mean(f.map((e) => relu(1 + e - mean(r)))),
  ];
  const none = tensor([1], [1]);
  for (
    const [name, reference] of Object.entries({ rsgan: pairs, ragan: average, rahinge: hinges })
  ) {
    const loss = losses[name];
    const D = (r: Tensor, f: Tensor) => add(loss.real(r, none, f), loss.fake(f, r));
    await checkOp(D, reference, [[5], [5]]);
    await checkOp((r, f) => loss.G(f, r), (r, f) => reference(f, r), [[5], [5]]);
    const halves = [loss.real(none, none, none), loss.fake(none, none)];
    for (const half of halves) {
      assertClose(name, await half.read(), [
        name === "rahinge" ? 1 : name === "ragan" ? Math.LN2 : Math.LN2 / 2,
      ]);
    }
  }
});
