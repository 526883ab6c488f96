import { assert, assertEquals, assertThrows } from "@std/assert";
import { sum } from "../kernels/reduce.ts";
import { mul } from "../kernels/elementwise.ts";
import { tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { EVALUATION, RandomStreams, TRAINING } from "./context.ts";
import { Dropout } from "./dropout.ts";
import { grad } from "./grad.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const key = { seed: 1, stream: 9, counter: 2 }, n = 20_000;

Deno.test("Dropout drops the given share, keeps the mean, and passes the gradient where it kept", async () => {
  const dropout = new Dropout(0.3), x = tensor(randoms(n, 1).map((e) => e + 2), [n], true);
  const y = dropout.forward(x, { training: true, random: new RandomStreams(key) }),
    u = tensor(randoms(n, 2), [n]);
  const [before, after, dx, cotangent] = await Promise.all(
    [x, y, grad(sum(mul(y, u)), [x])[0], u].map((t) => t.read()),
  );
  const dropped = after.filter((e) => e === 0).length / n;
  assert(Math.abs(dropped - 0.3) < 0.015, `${dropped} were dropped`); // 4.6 deviations
  assertClose("y", after, before.map((e, i) => after[i] === 0 ? 0 : e / 0.7));
  assertClose("dx", dx, cotangent.map((e, i) => after[i] === 0 ? 0 : e / 0.7));
});

Deno.test("each pass of Dropout has numbers of its own, the same after the same key", async () => {
  const dropout = new Dropout(0.5), x = tensor(new Float32Array(64).fill(1), [64]);
  const twice = async () => {
    const context = { training: true, random: new RandomStreams(key) };
    const first = dropout.forward(x, context), second = dropout.forward(x, context);
    return [String(await first.read()), String(await second.read())];
  };
  const [first, second] = await twice();
  assert(first !== second);
  assertEquals(await twice(), [first, second]);
  assertEquals(dropout.forward(x, EVALUATION), x);
});

Deno.test("layers have numbers of their own, each a thousand streams", () => {
  const random = new RandomStreams(key), [first, second] = [new Dropout(0.5), new Dropout(0.5)];
  const streams = [first, second, first, second].map((layer) => random.next(layer).stream);
  assertEquals(streams, [9, 1009, 10, 1010]);
  assertThrows(() => first.forward(tensor([1], [1]), TRAINING), Error, "random is missing");
});
