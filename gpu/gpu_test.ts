/** Two devices in one process. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { conv2d } from "../kernels/conv2d.ts";
import { add, affine, mul } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { planFor, tunedPlans, useTuned } from "../kernels/plan.ts";
import { mean, sum } from "../kernels/reduce.ts";
import { forceVariant, variant } from "../kernels/variant.ts";
import { grad } from "../nn/grad.ts";
import { scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { untuned } from "../tests/plans/checks.ts";
import { AS_GPU, newGpu } from "./device.ts";
import { deno } from "./engines/deno.ts";
import { GpuError } from "./errors.ts";
import { gpu } from "./gpu.ts";
import { Player } from "./tape.ts";

const a = await newGpu({ engine: deno }), b = await newGpu({ engine: deno });
a.makeCurrent();

Deno.test("two devices compute the same ops, interleaved, each its own", async () => {
  assert(a !== b && a.device !== b.device);
  b.describeAs(AS_GPU); // other kernels, too
  // x = k on each: sums of products of small whole numbers, so without rounding.
  const made = [[a, 1], [b, 2]] as const;
  const inputs = made.map(([g, k]) =>
    g.use(() => ({ x: tensor(Array(36).fill(k), [1, 6, 6, 1], true) }))
  );
  const w = made.map(([g]) => g.use(() => tensor(Array(9).fill(1), [3, 3, 1, 1])));
  const found: Promise<Float32Array>[] = [];
  for (let round = 0; round < 3; round++) {
    const ys = made.map(([g], i) =>
      g.use(() => scoped(() => conv2d(inputs[i].x, w[i], { stride: 1, padding: 0 })))
    ); // nothing is submitted yet
    const squares = made.map(([g], i) => g.use(() => mul(ys[i], ys[i])));
    const products = made.map(([g], i) =>
      g.use(() => matmul(tensor([i + 1, 2], [1, 2]), tensor([3, 4], [2, 1])))
    );
    const gradients = made.map(([g], i) =>
      g.use(() => grad(sum(mul(inputs[i].x, inputs[i].x)), [inputs[i].x])[0])
    );
    const means = made.map(([g], i) => g.use(() => mean(gradients[i])));
    for (const t of [...squares, ...products, ...means]) found.push(t.read());
  }
  const values = await Promise.all(found);
  for (let round = 0; round < 3; round++) {
    const [y1, y2, p1, p2, m1, m2] = values.slice(6 * round, 6 * round + 6);
    assertEquals([...y1], Array(16).fill(81));
    assertEquals([...y2], Array(16).fill(18 ** 2));
    assertEquals([p1, p2, m1, m2].map(([value]) => value), [11, 14, 2, 4]);
  }
  b.describeAs(undefined);
  assert(gpu() === a);
});

Deno.test("counters, tuned plans and what is forced belong to one device", () => {
  const sizes = { rows: 64, columns: 64, terms: 64, taps: 1, products: 1, texture: true };
  const { dispatches } = a.counters;
  b.use(() => {
    add(tensor([1], [1]), tensor([2], [1]));
    forceVariant("group");
    useTuned({ problem: { MR: 4 } });
    b.describeAs(AS_GPU);
    assertEquals([variant(), planFor("gather", sizes, "f32", untuned).load], ["group", "tile"]);
    forceVariant(undefined);
    b.describeAs(undefined);
    assertEquals(Object.keys(tunedPlans()), ["problem"]);
  });
  assertEquals([a.counters.dispatches, Object.keys(tunedPlans())], [dispatches, []]);
  assert(b.counters.dispatches > 0);
});

Deno.test("a tensor of one device is refused on another in a sentence", async () => {
  const x = tensor([1, 2], [2]), y = b.use(() => tensor([3, 4], [2]));
  const refused = "A tensor of one Gpu cannot be used under another";
  assertThrows(() => add(x, y), GpuError, refused);
  assertThrows(() => y.write([1, 2]), GpuError, refused);
  assertThrows(() => b.use(() => affine(x, 1, 0)), GpuError, refused);
  assertEquals([...await y.read()], [3, 4], "reading is for the tensor's own");
  assertEquals([...await add(x, x).read()], [2, 4], "and nothing is left of what was refused");
});

Deno.test("use() ends with what it runs, also where that throws", async () => {
  const refuse = () => {
    throw new Error(`b is current: ${gpu() === b}`);
  };
  assertThrows(() => b.use(refuse), Error, "b is current: true");
  assert(gpu() === a);
  await assertRejects(
    () => b.use(() => Promise.reject(new Error(String(gpu() === b)))),
    Error,
    "true",
  );
  assert(gpu() === a);
});

Deno.test("a step is played on the device that it was recorded on", () => {
  const player = new Player((y: Tensor) => [y.storage]), x = tensor([1], [1]);
  player.step("", () => add(x, x));
  assertThrows(() => b.use(() => player.step("", () => add(x, x))), Error, "its first step");
  player.forget();
});
