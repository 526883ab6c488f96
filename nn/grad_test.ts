import { assert, assertEquals } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { add, full, mul, scale, square } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { reshape } from "../tensor/op.ts";
import { scoped, tensor } from "../tensor/tensor.ts";
import { grad } from "./grad.ts";
import { openGpu } from "../gpu/engines/deno.ts";

await openGpu();

Deno.test("the backward pass takes little memory of its own, and the graph is still there after it", () => {
  scoped(() => {
    const x = full([1 << 18], 0.5); // 1 MiB
    let y = x;
    for (let i = 0; i < 24; i++) y = square(y);
    const loss = sum(y), before = gpu().counters.bytes;
    grad(loss, [x]);
    const taken = (gpu().counters.bytes - before) / 2 ** 20;
    assert(taken < 8, `${taken} MiB for 24 gradients of 1 MiB`);
    const again = gpu().counters.bytes;
    grad(loss, [x]);
    assert(
      gpu().counters.bytes - again < 2 * 2 ** 20,
      "what the first sweep took serves the second",
    );
  });
});

Deno.test("gradients that share memory, or lie on the way to others, are kept", async () => {
  const a = tensor([1, 2], [2]), b = tensor([3, 4], [2, 1]), c = tensor([5, 6], [2]);
  // Its gradient goes to a and b as it is, while the square uses it up.
  const inner = add(add(a, reshape(b, [2])), scale(square(c), 1));
  const loss = sum(mul(square(inner), scale(inner, 2))); // 2 inner^3
  const grads = grad(loss, [a, b, c]), inside = grad(loss, [inner, a]);
  for (let i = 0; i < 8; i++) full([2], -1); // would take what was given back too early
  const right = [1 + 3 + 5 ** 2, 2 + 4 + 6 ** 2].map((z) => 6 * z ** 2);
  for (const dx of [...grads.slice(0, 2), ...inside]) assertEquals([...await dx.read()], right);
  assertEquals([...await grads[2].read()], [right[0] * 2 * 5, right[1] * 2 * 6]);
});

Deno.test("gradients are added onto others, also where the next loss does not reach", async () => {
  const a = tensor([1, 2], [2]), b = tensor([3, 4], [2]);
  const both = () => sum(mul(square(a), b)), alone = () => sum(mul(square(a), a));
  const onto = scoped(() => grad(both(), [a, b])),
    kept = await Promise.all(onto.map((t) => t.read()));
  const sums = scoped(() => grad(alone(), [a, b], { onto }));
  assertEquals([...await sums[0].read()], [2 * 1 * 3 + 3 * 1, 2 * 2 * 4 + 3 * 4]);
  assertEquals([...await sums[1].read()], [1, 4]);
  for (const [i, t] of onto.entries()) assertEquals(await t.read(), kept[i]); // as they were
});

Deno.test("a gradient that shares its memory with one of several parts is kept", async () => {
  const x = tensor([1, 2, 3, 4], [4]), a = square(x);
  // The gradient of a is that of the sum, as it is, and another of it.
  const y = sum(mul(add(a, scale(a, 3)), tensor([1, 10, 100, 1000], [4])));
  const [dx] = grad(y, [x]);
  for (let i = 0; i < 8; i++) full([4], -1);
  assertEquals([...await dx.read()], [8, 160, 2400, 32000]); // 4 * 2 x * 10^i
});

Deno.test("a gradient that goes to two tensors serves the later one as well", async () => {
  const k = [1, 10, 100, 1000];
  for (const swapped of [0, 1, 2, 3]) {
    const x = tensor([1, 2, 3, 4], [4]), c = tensor([5, 6, 7, 8], [4]);
    const a = square(x), b = square(c), thrice = scale(a, 3);
    // That of a + b goes to both as it is; a has another part.
    const both = swapped & 1 ? add(b, a) : add(a, b);
    const y = sum(mul(swapped & 2 ? add(thrice, both) : add(both, thrice), tensor(k, [4])));
    const [dx, dc] = grad(y, [x, c]);
    for (let i = 0; i < 8; i++) full([4], -1);
    assertEquals([...await dx.read()], [8, 160, 2400, 32000], `${swapped}`); // 4 k * 2 x
    assertEquals([...await dc.read()], [10, 120, 1400, 16000], `${swapped}`); // k * 2 c
  }
});
