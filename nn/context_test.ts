import { mul } from "../kernels/elementwise.ts";
import { minibatchStddev } from "../kernels/minibatch_stddev.ts";
import { sum } from "../kernels/reduce.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { type Context, together, TRAINING } from "./context.ts";
import { grad } from "./grad.ts";
import { normalInit } from "./init.ts";
import { BatchNorm2d, Conv2d, Sequential } from "./layers.ts";
import { MinibatchDiscrimination } from "./minibatch_discrimination.ts";
import { hostRandom } from "./random.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

type Pass = (x: Tensor, context: Context) => Tensor;
const apart: typeof together = (pass, xs, context) => xs.map((x) => pass(x, context));

/** What a network makes of batches, its gradients, and where its running statistics end. */
async function all(way: typeof together, count: number): Promise<Float32Array[]> {
  const init = normalInit(hostRandom(1), 1), shape = { kernel: 3, stride: 1, padding: 1 };
  const net = new Sequential(
    new Conv2d(3, 8, shape, init),
    new BatchNorm2d(8, init, { slope: 0.2 }),
    new MinibatchDiscrimination(8, 4, 3, init),
  );
  const pass: Pass = (x, context) => minibatchStddev(net.forward(x, context), context.batches);
  const xs = Array.from(
    { length: count },
    (_, i) => tensor(randoms(4 * 5 * 5 * 3, i).map((v) => (i + 1) * v), [4, 5, 5, 3]),
  );
  const ys = way(pass, xs, TRAINING);
  const losses = ys.map((y, i) => sum(mul(y, tensor(randoms(y.size, 50 + i), y.shape))));
  const found = [...ys, ...grad(losses, [...net.parameters(), ...xs]), ...net.buffers()];
  return await Promise.all(found.map((t) => t.read()));
}

for (const n of [1, 2, 3]) {
  Deno.test(`${n} batches together are as in passes of their own`, async () => {
    const expected = await all(apart, n);
    (await all(together, n)).forEach((values, i) =>
      assertClose(`value ${i}`, values, expected[i], { rtol: 5e-4, atol: 2e-4 })
    );
  });
}
