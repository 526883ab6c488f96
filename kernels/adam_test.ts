import { assertEquals, assertThrows } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { release } from "../gpu/memory.ts";
import { GradScaler } from "../nn/grad_scaler.ts";
import { Adam } from "../nn/adam.ts";
import { layOut, placeOf } from "../nn/flat.ts";
import { Tensor, tensor } from "../tensor/tensor.ts";
import { inFewGroups } from "../tests/check.ts";
import { assertClose, assertSame, randoms } from "../tests/support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** Kingma & Ba 2015, algorithm 1, in float64. */
function reference(
  x: number[],
  grads: number[][],
  lr: number,
  b1: number,
  b2: number,
  eps: number,
) {
  const m = x.map(() => 0), v = x.map(() => 0), y = [...x];
  grads.forEach((g, t) =>
    g.forEach((gi, i) => {
      m[i] = b1 * m[i] + (1 - b1) * gi;
      v[i] = b2 * v[i] + (1 - b2) * gi * gi;
      y[i] -= lr * (m[i] / (1 - b1 ** (t + 1))) / (Math.sqrt(v[i] / (1 - b2 ** (t + 1))) + eps);
    })
  );
  return { y, m, v };
}

// More than one dispatch, of sizes that differ: one alone, primes, a workgroup and one more, a large one.
const sizes = [
  1,
  7,
  256,
  257,
  70_001,
  3,
  5,
  1024,
  ...Array.from({ length: 12 }, (_, i) => 60 * i + 1),
];
for (const [beta1, beta2, eps] of [[0.5, 0.999, 1e-8], [0, 0.99, 1e-3]]) {
  Deno.test(`Adam on ${sizes.length} tensors, betas ${beta1} and ${beta2}`, async () => {
    const xs = sizes.map((n, i) => randoms(n, i));
    const grads = [1, 2, 3].map((t) => sizes.map((n, i) => randoms(n, 100 * t + i)));
    const params = xs.map((x) => tensor(x, [x.length], true));
    const adam = new Adam(params, { lr: 0.01, betas: [beta1, beta2], eps });
    for (const g of grads) {
      inFewGroups(() => adam.step(g.map((values) => tensor(values, [values.length]))));
    }
    for (const [i, x] of xs.entries()) {
      const { y, m, v } = reference(x, grads.map((g) => g[i]), 0.01, beta1, beta2, eps);
      assertClose(`param ${i}`, await params[i].read(), y);
      assertClose(`m ${i}`, await adam.moments[i].m.read(), m);
      assertClose(`v ${i}`, await adam.moments[i].v.read(), v);
    }
  });
}

Deno.test("Adam refuses gradients that are not as many or as large as the parameters", () => {
  const adam = new Adam([tensor([1, 2, 3], [3], true)], { lr: 0.1, betas: [0, 0.9] });
  for (const grads of [[], [tensor([1, 2], [2])], tensor([1, 2, 3], [3])]) {
    assertThrows(() => adam.step(grads), RangeError, "expected");
  }
});

Deno.test("a step of Adam is one dispatch, and one look at scaled gradients", () => {
  const params = sizes.map((n) => tensor(randoms(n, n), [n], true));
  const grads = sizes.map((n) => tensor(randoms(n, n), [n]));
  const plain = new Adam(params, { lr: 0.1, betas: [0, 0.9] });
  const dispatches = (adam: Adam) => {
    const before = gpu().counters.dispatches;
    adam.step(grads);
    return gpu().counters.dispatches - before;
  };
  assertEquals(dispatches(plain), 1);
  assertEquals(dispatches(new Adam(params, { ...plain.options, scaler: new GradScaler() })), 3);
});

Deno.test("a guarded Adam steps as a plain one, and stops for good at a gradient that is not finite", async () => {
  const options = { lr: 0.01, betas: [0.5, 0.999] as const };
  const params = () => sizes.map((n, i) => tensor(randoms(n, i), [n], true));
  const read = (of: readonly { read: () => Promise<Float32Array> }[]) =>
    Promise.all(of.map((t) => t.read()));
  const plain = new Adam(params(), options),
    guarded = new Adam(params(), { ...options, guard: true });
  const grads = (t: number) => sizes.map((n, i) => tensor(randoms(n, 100 * t + i), [n]));
  for (const t of [1, 2]) for (const adam of [plain, guarded]) adam.step(grads(t));
  const all = (adam: Adam) => read([...adam.params, ...adam.moments.flatMap(({ m, v }) => [m, v])]);
  const before = await all(guarded);
  for (const [i, values] of (await all(plain)).entries()) assertSame(before[i], values, `${i}`);
  assertEquals([await plain.hasOverflown(), await guarded.hasOverflown()], [false, false]);
  const bad = grads(3), values = await bad[4].read();
  values[70_000] = NaN;
  bad[4].write(values);
  for (const given of [bad, grads(4)]) {
    guarded.step(given);
    assertEquals(await guarded.hasOverflown(), true);
    for (const [i, now] of (await all(guarded)).entries()) assertSame(now, before[i], `${i}`);
  }
});

Deno.test("a guarded Adam does not mind what was in its memory before", async () => {
  const tensors = [2, 3, 5].map((n) => tensor(randoms(n, n), [n], true));
  const { whole } = layOut(tensors), n = whole.size / 4;
  new Tensor([n], whole).write(new Float32Array(n).fill(NaN));
  release(whole);
  const adam = new Adam(tensors, { lr: 0.1, betas: [0, 0.9], guard: true });
  assertEquals(placeOf(tensors[0]).whole.buffer, whole.buffer); // else nothing is tested
  adam.step(tensors.map(({ size }) => tensor(randoms(size, 7), [size])));
  assertEquals(await adam.hasOverflown(), false);
});

Deno.test("a guarded Adam notices squares of gradients and weights that overflow", async () => {
  for (const [gradient, lr] of [[1e20, 0.1], [1, 3e38]]) {
    const adam = new Adam([tensor([1, -3e38, 3], [3], true)], { lr, betas: [0, 0.9], guard: true });
    adam.step([tensor([0, gradient, 0], [3])]);
    assertEquals(await adam.hasOverflown(), true, `${gradient}, ${lr}`);
  }
});
