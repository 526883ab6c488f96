import { assertEquals } from "@std/assert";
import { mul, scale } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { tensor } from "../tensor/tensor.ts";
import { inFewGroups } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { Adam } from "./adam.ts";
import { grad } from "./grad.ts";
import { GradScaler } from "./grad_scaler.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// A large one, and more than go into a dispatch.
const sizes = [1, 70_001, 257, 3, 5];
const xs = sizes.map((n, i) => randoms(n, i));
const params = () => xs.map((x) => tensor(x, [x.length], true));
const gradients = (t: number, scale = 1) =>
  sizes.map((n, i) => tensor(randoms(n, 100 * t + i).map((g) => scale * g), [n]));
const options = { lr: 0.01, betas: [0.5, 0.999] as const };

Deno.test("a step whose gradients overflow is left out, as if it had never been", async () => {
  const plain = new Adam(params(), options), scaler = new GradScaler({ initScale: 1024 });
  const scaled = new Adam(params(), { ...options, scaler });
  // Infinity in one place or another, NaN, then nothing amiss.
  for (const [t, bad] of [undefined, Infinity, NaN, undefined, -Infinity, undefined].entries()) {
    const { scale } = await scaler.read(), grads = gradients(t, scale);
    if (bad === undefined) plain.step(gradients(t));
    else {
      const which = t % sizes.length, values = await grads[which].read();
      values[values.length - 1] = bad;
      grads[which].write(values);
    }
    inFewGroups(() => scaled.step(grads));
  }
  assertEquals(await scaler.read(), { scale: 128, good: 1 });
  for (const i of sizes.keys()) {
    const close = { rtol: 2e-6, atol: 2e-6 };
    assertClose(`param ${i}`, await scaled.params[i].read(), await plain.params[i].read(), close);
    assertClose(`m ${i}`, await scaled.moments[i].m.read(), await plain.moments[i].m.read(), close);
    assertClose(`v ${i}`, await scaled.moments[i].v.read(), await plain.moments[i].v.read(), close);
  }
});

Deno.test("bias correction is right after many steps, the scale grows in intervals", async () => {
  const plain = new Adam(params(), options), scaler = new GradScaler({ growthInterval: 100 });
  const scaled = new Adam(params(), { ...options, scaler });
  const grads = gradients(1), large = gradients(1, 65_536), larger = gradients(1, 131_072);
  for (let t = 0; t < 199; t++) {
    plain.step(grads);
    scaled.step(t < 100 ? large : larger);
    if (t === 98) assertEquals(await scaler.read(), { scale: 65_536, good: 99 });
    if (t === 99) assertEquals(await scaler.read(), { scale: 131_072, good: 0 });
  }
  assertEquals(await scaler.read(), { scale: 131_072, good: 99 });
  const [got, expected] = await Promise.all([scaled, plain].map(({ params }) => params[1].read()));
  assertClose("param", got, expected, { rtol: 1e-5, atol: 2e-5 }); // each moved by 2 in all
});

Deno.test("the scale does not grow for ever", async () => {
  const scaler = new GradScaler({ initScale: 2 ** 23, growthInterval: 1 });
  for (let t = 0; t < 3; t++) scaler.settle(tensor([0], [1]), options.betas);
  assertEquals((await scaler.read()).scale, 2 ** 24);
});

Deno.test("the backward pass begins with the scale", async () => {
  const scaler = new GradScaler({ initScale: 512 }), x = tensor([1, -2, 3], [3], true);
  const [dx] = grad(sum(mul(x, x)), [x], { dy: scaler.scale });
  assertEquals([...await dx.read()], [1024, -2048, 3072]);
  // A loss of one element with axes takes it as well.
  const one = tensor([2], [1, 1], true);
  assertEquals([...await grad(scale(one, 3), [one], { dy: scaler.scale })[0].read()], [1536]);
});

Deno.test("an optimiser has overflown when no scale is small enough, or a weight is not finite", async () => {
  const scaler = new GradScaler(), adam = new Adam(params(), { ...options, scaler });
  const bad = adam.pack(gradients(1)), values = await bad.read();
  bad.write(values.fill(NaN, 0, 1));
  for (let t = 0; t < 26; t++) adam.step(bad);
  assertEquals([await adam.hasOverflown(), (await scaler.read()).scale], [false, 2 ** -10]);
  adam.step(bad);
  assertEquals(await adam.hasOverflown(), true);
  const far = new Adam(params(), { ...options, scaler: new GradScaler() });
  far.step(gradients(1));
  assertEquals(await far.hasOverflown(), false);
  far.step(gradients(1), 1e38);
  far.step(gradients(1), 3e38);
  assertEquals(await far.hasOverflown(), true);
});
