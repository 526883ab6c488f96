import { assertEquals } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { inFewGroups } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { conv2d } from "./conv2d.ts";
import { mul } from "./elementwise.ts";
import { gateAndSum } from "./gate_sum.ts";
import { addParts } from "./parts.ts";
import { sum } from "./reduce.ts";
import { forceVariant } from "./variant.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// one number; primes; vec4, less than a workgroup is wide, and more; sums in one round and in two
const shapes: Shape[] = [[1, 1], [13, 3], [2, 5, 5, 4], [7, 132], [9000, 8], [40_000, 3], [
  3000,
  64,
]];
for (const [i, shape] of shapes.entries()) {
  for (const by of ["lane", "group"] as const) {
    const slope = i % 2 ? 0.2 : 0;
    Deno.test(`gateAndSum() of [${shape}], slope ${slope}, by ${by}`, async () => {
      const size = sizeOf(shape), C = shape.at(-1)!;
      // As after a ReLU: with slope 0 negative numbers have become 0.
      const y = randoms(size, 1).map((v) => Math.fround(v > 0 ? v : slope * v));
      const dy = randoms(size, 2).map(Math.fround);
      forceVariant(by);
      const [z, total] = inFewGroups(() => gateAndSum(tensor(y, shape), tensor(dy, shape), slope));
      forceVariant(undefined);
      const expected = dy.map((v, i) => y[i] > 0 ? v : slope * v), sums = new Float64Array(C);
      expected.forEach((v, i) => sums[i % C] += v);
      assertClose("z", await z.read(), expected);
      assertClose("sum", await total.read(), sums, { atol: 1e-6 * size / C });
    });
  }
}

Deno.test("gradients by it are those that have gradients of their own", async () => {
  const shapes = [[2, 6, 6, 3], [3, 3, 3, 5], [5]], g = { stride: 1, padding: 1 };
  const [x, w, bias] = shapes.map((shape, i) => tensor(randoms(sizeOf(shape), i), shape, true));
  const found = async (createGraph: boolean) => {
    const y = conv2d(x, w, g, { bias, slope: 0.2 });
    const loss = sum(mul(y, tensor(randoms(y.size, 7), y.shape)));
    return await Promise.all(grad(loss, [x, w, bias], { createGraph }).map((t) => t.read()));
  };
  const fused = await found(false), apart = await found(true);
  assertEquals(fused.length, 3);
  fused.forEach((values, i) => assertClose(`gradient ${i}`, values, apart[i]));
});

for (const by of ["lane", "group"] as const) {
  Deno.test(`gateAndSum() of infinities and NaN, by ${by}`, async () => {
    const y = tensor([0, 0, 0, NaN, 2, 2, Infinity, 0], [4, 2]);
    const dy = tensor([Infinity, -Infinity, NaN, 3, Infinity, 1, 2, 5], [4, 2]);
    forceVariant(by);
    const [z, total] = gateAndSum(y, dy, 0);
    forceVariant(undefined);
    assertEquals([...await z.read()], [0, 0, 0, 3, Infinity, 1, 2, 0]);
    assertEquals([...await total.read()], [Infinity, 4]);
  });
}

Deno.test("addParts() with a ReLU keeps NaN and makes none", async () => {
  for (const C of [3, 4]) {
    const values = [-Infinity, NaN, 2, Infinity].slice(0, C);
    const sums = tensor([...values, ...Array(C).fill(-1)], [2, C]), y = tensor(Array(C), [1, C]);
    addParts(y, sums, { bias: tensor(Array(C).fill(0.5), [C]), slope: 0 });
    assertEquals([...await y.read()], [0, NaN, 1.5, Infinity].slice(0, C));
  }
});

Deno.test("addParts() of more than workgroups along one dimension", async () => {
  const n = 64 * 36, parts = randoms(2 * n, 3), y = tensor(new Float32Array(n), [n, 1]);
  inFewGroups(() => addParts(y, tensor(parts, [2, n]), {}));
  assertClose("sums", await y.read(), parts.slice(0, n).map((v, i) => v + parts[n + i]));
});
