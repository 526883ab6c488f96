import { assert, assertEquals, assertThrows } from "@std/assert";
import { GpuError } from "../gpu/errors.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { checkOp, type Reference } from "../tests/check.ts";
import { caseOf } from "../tests/convolution.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { conv2d, conv2dInput, conv2dWeight } from "./conv2d.ts";
import { grad } from "../nn/grad.ts";
import { matmul } from "./matmul.ts";
import { candidates, forcePlan, type Plan, problemsOf, useTuned } from "./plan.ts";
import { sum } from "./reduce.ts";
import { assertPrecision, type Precision } from "./precision.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const plans: Partial<Plan>[] = [
  {}, // the rule's: textures on the software device
  { load: "buffer", MR: 8, NV: 1, wx: 8, wy: 8, wz: 1 },
  { load: "tile", MR: 4, NV: 1, KU: 16, wx: 16, wy: 16, wz: 1 },
];

/** A product by its op, its definition, and the shapes of its two operands. */
type Product = [
  string,
  (a: Tensor, b: Tensor, precision?: Precision) => Tensor,
  Reference,
  Shape,
  Shape,
];

const [M, K, N] = [5, 19, 6];
const multiply: Reference = (a, b) =>
  Array.from({ length: M * N }, (_, at) => {
    const i = Math.floor(at / N), j = at % N;
    return Array.from({ length: K }, (_, k) => a[i * K + k] * b[j * K + k])
      .reduce((t, ab) => t + ab);
  });
const { x, w, y, g, forward, input, weight } = caseOf([2, 5, 5, 9], [3, 3], 10, 2, 1);
const products: Product[] = [
  ["matmul", (a, b, precision) => matmul(a, b, { b: true, precision }), multiply, [M, K], [N, K]],
  ["conv2d", (a, b, precision) => conv2d(a, b, { ...g, precision }), forward, x, w],
  ["conv2dInput", (a, b, precision) => conv2dInput(a, b, x, { ...g, precision }), input, y, w],
  ["conv2dWeight", (a, b, precision) => conv2dWeight(a, b, w, { ...g, precision }), weight, x, y],
];

for (const plan of plans) {
  for (const [name, op, reference, ...shapes] of products) {
    Deno.test(`${name} in half precision, ${plan.load ?? "by the rule"}`, async () => {
      forcePlan(plan);
      try {
        // Two operands, each off by 2^-11 of itself at most; their sums have up to a hundred terms.
        const half = (a: Tensor, b: Tensor) => op(a, b, "f16");
        await checkOp(half, reference, shapes, { rtol: 2e-3, atol: 5e-3 });
        // No more than that: products are exact and sums are f32, whatever their sizes.
        const [a, b] = shapes.map((shape, i) => randoms(sizeOf(shape), i + 1));
        const large = a.map((v) => v * 4000), small = b.map((v) => v * 2e-4);
        const [A, B] = [tensor(large, shapes[0]), tensor(small, shapes[1])];
        const got = await half(A, B).read();
        const rounded = reference(large.map(Math.f16round), small.map(Math.f16round));
        assertClose("product", got, rounded, { rtol: 2e-6, atol: 2e-6 });
        // And no less: this is not f32.
        const exact = reference(large, small);
        const off = Math.max(...exact.map((v, i) => Math.abs(v - got[i])));
        assert(off > 1e-5, `operands were not rounded: ${off}`);
        assertClose("f32", await op(A, B).read(), exact, { rtol: 2e-6, atol: 2e-6 });
      } finally {
        forcePlan(undefined);
      }
    });
  }
}

Deno.test("beyond 65504 an operand is infinite, below 3e-8 it is 0", async () => {
  const a = tensor([65504, 65520, -1e6, 3e-8, 2.9e-8], [5, 1]), one = tensor([1], [1, 1]);
  for (const plan of plans) {
    forcePlan(plan);
    const y = matmul(a, one, { precision: "f16" });
    forcePlan(undefined);
    assertEquals([...await y.read()], [65504, Infinity, -Infinity, 2 ** -24, 0]);
  }
});

Deno.test("an operand is the nearest half, ties to even", async () => {
  // Around every power of two that halves have: ties, their neighbours and what is exact
  const values = Array.from({ length: 42 }, (_, i) => 2 ** (i - 26)).flatMap((power) =>
    [1, 1.5, 2 - 2 ** -11].flatMap((size) =>
      [0, 2 ** -11, 3 * 2 ** -11, 2 ** -11 - 2 ** -20, 2 ** -11 + 2 ** -20]
        .flatMap((off) => [power * (size + off), -power * (size + off)])
    )
  );
  const expected = values.map((v) => Math.f16round(v) + 0); // a sum is never -0
  for (const C of [1, 4]) { // channels read one by one, and by vec4
    const only = (v: number) => [v, 0, 0, 0].slice(0, C);
    const a = tensor(values.flatMap(only), [values.length, C]), one = tensor(only(1), [C, 1]);
    for (const plan of plans) {
      forcePlan(plan);
      const y = matmul(a, one, { precision: "f16" });
      forcePlan(undefined);
      assertEquals([...await y.read()], expected);
    }
  }
});

Deno.test("backward passes have the precision of the forward pass", () => {
  const [, op, , ...shapes] = products[1],
    [a, b] = shapes.map((s, i) => tensor(randoms(sizeOf(s), i), s));
  const y = op(a, b, "f16");
  const names = problemsOf(() => void grad(sum(y), [a, b])).keys().toArray();
  assertEquals(names.map((name) => name.endsWith("f16")), [true, true]);
});

Deno.test("plans of one precision are not used for the other", async () => {
  const a = tensor(randoms(15, 1), [3, 5]), b = tensor(randoms(20, 2), [5, 4]);
  const step = (precision?: Precision) => void matmul(a, b, { precision });
  const [[full32]] = problemsOf(() => step());
  useTuned({ [full32]: { MR: 4 } });
  assertEquals([...problemsOf(() => step()).keys()], []);
  const [[name, trial]] = problemsOf(() => step("f16"));
  assertEquals(name, full32.replace("f32", "f16"));
  // Plans are tried later, when f32 is in force again.
  const all = candidates(trial), [plan] = all;
  assertEquals(all.map(({ precision }) => precision), all.map(() => "f16"));
  const operands = trial.operands.map((shape, i) => tensor(randoms(sizeOf(shape), i + 1), shape));
  const half = await trial.run(plan, operands).read();
  const full = await trial.run({ ...plan, precision: "f32" }, operands).read();
  assertClose("trial", half, full, { rtol: 2e-3, atol: 5e-3 });
  assert(half.some((v, i) => v !== full[i]), "operands were not rounded");
});

Deno.test("a device without shader-f16 is refused", () => {
  const device = { name: "Old GPU", features: ["timestamp-query"] };
  assertThrows(() => assertPrecision("f16", device), GpuError, "which Old GPU lacks");
  assertPrecision("f32", device);
});
