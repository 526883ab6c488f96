import { assertEquals } from "@std/assert";
import { storage } from "../gpu/memory.ts";
import { write } from "../gpu/copy.ts";
import { Tensor, tensor } from "../tensor/tensor.ts";
import { inFewGroups } from "../tests/check.ts";
import { randoms } from "../tests/support.ts";
import { nonFinite } from "./finite.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const bad = [NaN, -NaN, Infinity, -Infinity];

// one; primes; exactly a workgroup; one more; more workgroups than there may be
for (const n of [1, 7, 64, 65, 257, 1031]) {
  Deno.test(`nonFinite() finds one in ${n}, wherever it is`, async () => {
    const places = [0, n >> 1, n - 1], x = randoms(n, n);
    const tensors = places.flatMap((place) =>
      bad.map((value) => tensor(x.map((v, i) => i === place ? value : v), [n]))
    );
    assertEquals(await nonFinite(tensors), [...tensors.keys()]);
    assertEquals(await nonFinite([tensor(x, [n])]), []);
  });
}
Deno.test("nonFinite() names the bad ones among good ones", async () => {
  const good = tensor([0, -0, 1, 3.4e38, -3.4e38, 1e-45, -1e-30], [7]);
  const tensors = bad.flatMap((value) => [good, tensor([1, value], [2])]);
  assertEquals(await nonFinite(tensors), [1, 3, 5, 7]);
  // Again in the same memory.
  assertEquals(await nonFinite(tensors.map(() => good)), []);
  assertEquals(await nonFinite([]), []);
});
Deno.test("nonFinite() looks no further than a tensor's end", async () => {
  for (const n of [1, 2, 3, 5, 63, 64, 100]) {
    const padded = storage(4 * 128);
    write(padded, Float32Array.from({ length: 128 }, (_, i) => i < n ? 1 : NaN));
    assertEquals(await nonFinite([new Tensor([n], padded)]), []);
    assertEquals(await nonFinite([new Tensor([n + 1], padded)]), [0]);
  }
});
Deno.test("nonFinite() of a long tensor, and of many", async () => {
  const n = 4096 * 64 * 5 + 3, x = new Float32Array(n).fill(1);
  assertEquals(await nonFinite([tensor(x, [n])]), []);
  for (const place of [4096 * 64, n - 1]) {
    assertEquals(await nonFinite([tensor(x.map((v, i) => i === place ? NaN : v), [n])]), [0]);
  }
  const one = tensor([1], [1]), nan = tensor([NaN], [1]);
  const many = Array.from({ length: 2500 }, (_, i) => i % 1000 === 999 ? nan : one);
  assertEquals(await inFewGroups(() => nonFinite(many)), [999, 1999]);
  // Again in the same memory, where every flag is set.
  assertEquals(await inFewGroups(() => nonFinite(many.map(() => nan))), [...many.keys()]);
  assertEquals(await inFewGroups(() => nonFinite(many.map(() => one))), []);
});
