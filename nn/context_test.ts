import { assertEquals } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { mul } from "../kernels/elementwise.ts";
import { minibatchStddev } from "../kernels/minibatch_stddev.ts";
import { sum } from "../kernels/reduce.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { type Context, RandomStreams, together } from "./context.ts";
import { grad } from "./grad.ts";
import { normalInit } from "./init.ts";
import { BatchNorm2d, Conv2d, Sequential } from "./layers.ts";
import { MinibatchDiscrimination } from "./minibatch_discrimination.ts";
import { Module } from "./module.ts";
import { hostRandom } from "./random.ts";
await openGpu();

const apart: typeof together = (net, xs, context) => xs.map((x) => net.forward(x, context));

/** All that looks across the images of a batch. */
class Net extends Module {
  readonly layers: Sequential;
  constructor() {
    super();
    const init = normalInit(hostRandom(1), 1), shape = { kernel: 3, stride: 1, padding: 1 };
    this.layers = new Sequential(
      new Conv2d(3, 8, shape, init),
      new BatchNorm2d(8, init, { slope: 0.2 }),
      new MinibatchDiscrimination(8, 4, 3, init),
    );
  }
  override forward(x: Tensor, context: Context): Tensor {
    return minibatchStddev(this.layers.forward(x, context), context.batches);
  }
}

/** What a network makes of batches, its gradients, and where its running statistics end. */
async function all(way: typeof together, count: number): Promise<Float32Array[]> {
  const net = new Net();
  const xs = Array.from(
    { length: count },
    (_, i) => tensor(randoms(4 * 5 * 5 * 3, i).map((v) => (i + 1) * v), [4, 5, 5, 3]),
  );
  const ys = way(net, xs, { training: true });
  const losses = ys.map((y, i) => sum(mul(y, tensor(randoms(y.size, 50 + i), y.shape))));
  const found = [...ys, ...grad(losses, [...net.parameters(), ...xs]), ...net.statistics()];
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

Deno.test("each layer and each pass has a random stream of its own", () => {
  const [a, b] = [new Net(), new Net()];
  const random = new RandomStreams({ seed: 1, stream: 7, counter: 2 });
  const given = [a, b, a, a, b].map((layer) => random.next(layer));
  assertEquals(given.map(({ stream }) => stream), [7, 1007, 8, 9, 1008]);
});
