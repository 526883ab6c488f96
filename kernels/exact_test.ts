/** Bounds in ulp of what is made of `exact.wgsl`, over its range, against float64. */
import { assert } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { randoms } from "../tests/support.ts";
import { exp, log, sigmoid, softplus, tanh } from "./elementwise.ts";
import { logitLoss } from "./logit_loss.ts";
import { concat } from "./slice.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** The distance from one float32 to the next at `value`; denormals are not counted on. */
function ulp(value: number): number {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 23);
}

function assertUlp(
  name: string,
  x: readonly number[],
  actual: ArrayLike<number>,
  f: (x: number) => number,
  bound: number,
): void {
  let worst = 0, at = 0;
  for (const [i, u] of x.entries()) {
    const wanted = f(u), off = Math.abs(actual[i] - wanted) / ulp(wanted);
    if (!(off <= worst)) [worst, at] = [off, i];
    if (Number.isNaN(off)) break;
  }
  assert(worst <= bound, `${name}(${x[at]}) = ${actual[at]}, expected ${f(x[at])}: ${worst} ulp`);
}

/** Uniform in [low, high], and both ends. */
function spread(low: number, high: number, n = 50_000): number[] {
  const between = randoms(n, 3).map((u) => Math.fround(low + (high - low) * (u + 1) / 2));
  return [Math.fround(low), Math.fround(high), ...between];
}
/** Of both signs, from 2^-40 to `most` with a uniform logarithm. */
function scales(most: number, n = 20_000): number[] {
  const octaves = 40 + Math.log2(most);
  return randoms(n, 5).map((u) => Math.fround(Math.sign(u) * most * 2 ** (-octaves * Math.abs(u))));
}
function near(centre: number, n = 2_000): number[] {
  return Array.from({ length: n }, (_, i) => Math.fround(centre + (i - n / 2) * ulp(centre)));
}
const log1pExp = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const logistic = (x: number) => x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const cases: [string, (x: Tensor) => Tensor, (x: number) => number, number[], bound: number][] = [
  ["exp", exp, Math.exp, [...spread(-87.3, 88.7), ...scales(80)], 2],
  ["log", log, Math.log, scales(3e38).map(Math.abs), 2],
  ["log", log, Math.log, [...spread(0.5, 2), ...near(1), ...near(Math.SQRT1_2)], 2],
  ["log", log, Math.log, randoms(2_000, 4).map((u) => Math.fround(3e-38 * 2 ** u)), 2],
  ["tanh", tanh, Math.tanh, [...spread(-20, 20), ...scales(20), ...near(0.25)], 4],
  ["sigmoid", sigmoid, logistic, [...spread(-80, 80), ...scales(80)], 4],
  ["softplus", softplus, log1pExp, [...spread(-80, 80), ...scales(80)], 4],
];
for (const [name, op, f, x, bound] of cases) {
  Deno.test(`${name}() is within ${bound} ulp, ${x.length} numbers`, async () => {
    assertUlp(name, x, await op(tensor(x, [x.length])).read(), f, bound);
  });
}

Deno.test("binary cross-entropy and its gradient are within 4 ulp for logits up to 80", async () => {
  const N = 1 << 14; // a power of two, by which the mean divides exactly
  const x = [...spread(-80, 80, N / 2 - 2), ...scales(80, N / 2)];
  for (const goal of [0, 1, 0.1, 0.9].map(Math.fround)) {
    const loss = (l: number) => l * (Number(l >= 0) - goal) + Math.log1p(Math.exp(-Math.abs(l)));
    const few = x.filter((_, i) => i % 400 === 0); // one by one: a mean hides what it is made of
    const each = few.map((l) => logitLoss("crossEntropy", tensor([l], [1]), goal));
    assertUlp(`loss with target ${goal}`, few, await concat(each, 0).read(), loss, 4);
    if (goal !== 0 && goal !== 1) continue; // elsewhere the gradient has a root
    const logits = tensor(x, [N], true);
    const dx = await grad(logitLoss("crossEntropy", logits, goal, N), [logits])[0].read();
    const slope = (l: number) => goal === 1 ? -logistic(-l) : logistic(l);
    assertUlp(`gradient with target ${goal}`, x, dx, slope, 4);
  }
});

Deno.test("exp() and log() of NaN, infinities, zeros and beyond", async () => {
  const of = (...values: number[]) => tensor(values, [values.length]);
  const found = [
    ...await exp(of(NaN, Infinity, -Infinity, 89, -200, 0, 3e38, -3e38)).read(),
    ...await log(of(NaN, Infinity, -Infinity, 0, -0, -1, 1, -1e-20)).read(),
  ];
  const wanted = [NaN, Infinity, 0, Infinity, 0, 1, Infinity, 0];
  wanted.push(NaN, Infinity, NaN, -Infinity, -Infinity, NaN, 0, NaN);
  assert(found.every((value, i) => Object.is(value, wanted[i])), `[${found}], not [${wanted}]`);
});
