import type { Tensor } from "../tensor/tensor.ts";
import { tensor } from "../tensor/tensor.ts";
import { assertThrows } from "@std/assert";
import { checkOp } from "../tests/check.ts";
import { assertClose } from "../tests/support.ts";
import * as e from "./elementwise.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const positive = (u: number) => 1.5 + u;
const away = (u: number) => u + 0.3 * Math.sign(u); // away from 0, where some have a kink
const unary: [string, (x: Tensor) => Tensor, (x: number) => number, ((u: number) => number)?][] = [
  ["affine", (x) => e.affine(x, 3, -1), (x) => 3 * x - 1],
  ["exp", e.exp, Math.exp],
  ["log", e.log, Math.log, positive],
  ["sqrt", e.sqrt, Math.sqrt, positive],
  ["reciprocal", e.reciprocal, (x) => 1 / x, positive],
  ["square", e.square, (x) => x * x],
  ["tanh", e.tanh, Math.tanh, (u) => 3 * u],
  ["sigmoid", e.sigmoid, (x) => 1 / (1 + Math.exp(-x)), (u) => 5 * u],
  ["softplus", e.softplus, (x) => Math.log1p(Math.exp(x)), (u) => 5 * u],
  ["abs", e.abs, Math.abs, away],
  ["relu", e.relu, (x) => Math.max(x, 0), away],
  ["leakyRelu", (x) => e.leakyRelu(x, 0.2), (x) => x > 0 ? x : 0.2 * x, away],
  ["clamp", (x) => e.clamp(x, -0.7, 0.7), (x) => Math.min(0.7, Math.max(-0.7, x)), away],
];
for (const [name, op, reference, input = (u: number) => u] of unary) {
  // one element; a prime; exactly a workgroup of 64 vec4; one more
  for (const n of [1, 7, 256, 257]) {
    Deno.test(`${name}() of ${n}`, () =>
      checkOp(op, (x) => x.map(reference), [[n]], { input, second: n === 7 }));
  }
}

const binary: [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number][] = [
  ["add", e.add, (a, b) => a + b],
  ["sub", e.sub, (a, b) => a - b],
  ["mul", e.mul, (a, b) => a * b],
  ["div", e.div, (a, b) => a / b],
];
const shapes: [number[], number[], (i: number) => number, (i: number) => number, number][] = [
  [[5], [5], (i) => i, (i) => i, 5],
  [[3, 5], [5], (i) => i, (i) => i % 5, 15],
  [[3, 8], [8], (i) => i, (i) => i % 8, 24],
  [[3, 5], [1], (i) => i, () => 0, 15],
  [[2, 3, 2], [2, 1, 2], (i) => i, (i) => 2 * Math.floor(i / 6) + i % 2, 12],
  [[3, 1], [1, 4], (i) => Math.floor(i / 4), (i) => i % 4, 12],
  [[1], [2, 3], () => 0, (i) => i, 6],
];
for (const [name, op, reference] of binary) {
  for (const [a, b, ia, ib, n] of shapes) {
    Deno.test(`${name}() of [${a}] and [${b}]`, () =>
      checkOp(
        op,
        (x, z) => Array.from({ length: n }, (_, i) => reference(x[ia(i)], z[ib(i)])),
        [a, b],
        { input: (u, which) => which ? 1.5 + u : u, second: n < 13 },
      ));
  }
}

Deno.test("leakyGate() is linear in z and flat in x", () =>
  checkOp(
    (z) => e.leakyGate(tensor([1, -1, 0, 2, -3], [5]), z, 0.2),
    ([a, b, c, d, f]) => [a, 0.2 * b, 0.2 * c, d, 0.2 * f],
    [[5]],
    { second: true },
  ));
Deno.test("softplus() and sigmoid() neither overflow nor lose small values", async () => {
  const x = [-200, -40, -20, 0, 20, 90, 200];
  const close = { rtol: 2e-6, atol: 0 };
  const small = x.map((v) => v < -80 ? 0 : Math.log1p(Math.exp(v)));
  small[5] = 90, small[6] = 200;
  assertClose(
    "softplus",
    (await e.softplus(tensor(x, [7])).read()).slice(1),
    small.slice(1),
    close,
  );
  assertClose(
    "sigmoid",
    (await e.sigmoid(tensor(x, [7])).read()).slice(1),
    x.slice(1).map((v) => 1 / (1 + Math.exp(-v))),
    close,
  );
});
Deno.test("tanh() keeps its relative accuracy near 0", async () => {
  const x = [1e-7, 1e-4, 0.1, 0.2, 0.249, 0.251, 0.5, 3, 20, -1e-5, -50];
  assertClose("tanh", await e.tanh(tensor(x, [11])).read(), x.map(Math.tanh), {
    rtol: 2e-6,
    atol: 0,
  });
});
Deno.test("shapes that do not fit are refused with both of them", () => {
  assertThrows(
    () => e.add(tensor([1, 2], [2]), tensor([1, 2, 3], [3])),
    RangeError,
    "a is [2], b is [3]",
  );
});
