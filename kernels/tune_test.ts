import { assert, assertEquals } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { scoped, sizeOf, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { conv2d, conv2dWeight } from "./conv2d.ts";
import { matmul } from "./matmul.ts";
import { candidates, problemsOf, tunedPlans } from "./plan.ts";
import { tune, type Tuned } from "./tune.ts";
import { openGpu } from "../gpu/engines/deno.ts";

await openGpu();

const g = { stride: 1, padding: 1 };
const x = tensor(randoms(2 * 6 * 6 * 5, 1), [2, 6, 6, 5]);
const w = tensor(randoms(9 * 5 * 7, 2), [3, 3, 5, 7]);

function step(): void {
  const y = conv2d(x, w, g);
  conv2dWeight(x, y, w.shape, g);
  conv2d(x, w, g); // met before
}

Deno.test("a step is tuned once, and computes the same afterwards", async () => {
  const before = await conv2d(x, w, g).read(), told: Tuned[] = [];
  await tune(step, (tuned) => told.push(tuned));
  assertEquals(told.map(({ name }) => name), [
    "gather: columns 7, products 1, rows 72, taps 9, terms 8, texture true, f32",
    "weight: columns 7, lines 12, products 1, rows 5, taps 9, terms 6, texture true, f32",
  ]);
  for (const { name, plan, gain } of told) {
    assert(gain >= 1, `${name}: the rule's own plan is among those tried, gain ${gain}`);
    assertEquals(tunedPlans()[name], plan);
  }
  assertClose("after tuning", await conv2d(x, w, g).read(), before);
  await tune(step, () => assert(false, "it was tuned already"));
});

Deno.test("every candidate computes the same", async () => {
  const y = tensor(randoms(2 * 6 * 6 * 33, 3), [2, 6, 6, 33]);
  const problems = problemsOf(() => void conv2dWeight(x, y, [3, 3, 5, 33], g));
  for (const trial of problems.values()) {
    const [first, ...others] = candidates(trial);
    assert(others.length > 0);
    const operands = trial.operands.map((shape, i) => tensor(randoms(sizeOf(shape), i + 1), shape));
    const expected = await trial.run(first, operands).read();
    for (const plan of others) {
      assertClose(JSON.stringify(plan), await trial.run(plan, operands).read(), expected);
    }
  }
});

Deno.test("a rehearsal changes nothing", async () => {
  const y = tensor(randoms(72 * 9, 4), [2, 6, 6, 9]), before = await x.read();
  await tune(() => {
    x.storage.version++;
    conv2dWeight(x, y, [3, 3, 5, 9], g);
  });
  assertEquals(await x.read(), before);
});

Deno.test("trials give their memory back", async () => {
  const a = tensor(randoms(8 * 24, 1), [8, 24]);
  // Of one size as memory is dealt out, and two problems to the tuner.
  const [first, second] = [22, 23].map((columns) => {
    const b = tensor(randoms(24 * columns, 2), [24, columns]);
    return () => scoped(() => void matmul(a, b));
  });
  await tune(first);
  const { bytes } = gpu().counters;
  await tune(second);
  assertEquals(gpu().counters.bytes, bytes);
});
