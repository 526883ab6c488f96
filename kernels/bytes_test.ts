import { gpu } from "../gpu/gpu.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { fromBytes, toBytes } from "./bytes.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** All bytes, in an order that is not their own. */
function bytesOf(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => 101 * i + 17);
}

// one; primes; lengths of all remainders by 4; exactly a workgroup; one more
for (const n of [1, 2, 3, 4, 7, 256, 257, 1031]) {
  Deno.test(`fromBytes() of ${n}`, async () => {
    const bytes = bytesOf(n), expected = Array.from(bytes, (byte) => byte / 127.5 - 1);
    assertClose("x", await fromBytes(bytes, [n]).read(), expected, { rtol: 1e-6, atol: 1e-7 });
  });
  Deno.test(`toBytes() of ${n}`, async () => {
    const x = randoms(n, n).map((u) => 1.2 * u);
    const expected = x.map((v) =>
      Math.floor(Math.min(255, Math.max(0, (Math.fround(v) + 1) * 127.5)) + 0.5)
    );
    assertEquals([...await toBytes(tensor(x, [n]))], expected);
  });
  Deno.test(`${n} bytes there and back are the same`, async () => {
    const bytes = bytesOf(n);
    assertEquals(await toBytes(fromBytes(bytes, [n])), bytes);
  });
}
Deno.test("fromBytes() reaches both ends exactly", async () => {
  assertEquals([...await fromBytes(new Uint8Array([0, 255]), [1, 2]).read()], [-1, 1]);
});
Deno.test("fromBytes() of a part of a buffer", async () => {
  const part = new Uint8Array([1, 2, 0, 255, 255, 3]).subarray(2, 5);
  assertEquals([...await fromBytes(part, [3]).read()], [-1, 1, 1]);
});
Deno.test("toBytes() rounds halves up, holds what is outside, makes NaN 0", async () => {
  const x = [0, 1 / 255, -1 / 255 - 1e-4, 7, -7, Infinity, -Infinity, NaN, -NaN, 1, -1];
  assertEquals(
    [...await toBytes(tensor(x, [11]))],
    [128, 128, 126 + 1, 255, 0, 255, 0, 0, 0, 255, 0],
  );
});
Deno.test("more bytes than workgroups along one dimension", async () => {
  const n = 4 * 64 * 65_535 + 5, bytes = bytesOf(n);
  const back = await toBytes(fromBytes(bytes, [n]));
  assertEquals(back.length, n);
  assertEquals(back.findIndex((byte, i) => byte !== bytes[i]), -1);
});
Deno.test("transfers give their memory back", async () => {
  const bytes = bytesOf(100_003), x = fromBytes(bytes, [100_003]);
  await toBytes(x);
  const before = gpu().counters.bytes;
  for (let i = 0; i < 3; i++) assertEquals(await toBytes(x), bytes);
  assertEquals(gpu().counters.bytes, before);
});
Deno.test("a count that does not fit is refused", () => {
  assertThrows(() => fromBytes(bytesOf(5), [2, 3]), RangeError, "5 bytes for shape [2,3]");
});
