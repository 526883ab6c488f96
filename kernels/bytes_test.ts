import { openGpu } from "../gpu/device.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { assertClose } from "../tests/support.ts";
import { fromBytes, toBytes } from "./bytes.ts";
await openGpu();

for (const n of [1, 3, 256, 1027]) {
  Deno.test(`${n} bytes become numbers in [-1, 1] and the same bytes again`, async () => {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37 + (n === 1 ? 255 : 0)) % 256);
    const x = fromBytes(bytes, [n]);
    assertClose("x", await x.read(), [...bytes].map((b) => b / 127.5 - 1), { atol: 1e-6 });
    assertEquals([...await toBytes(x)], [...bytes]);
  });
}
Deno.test("what lies outside is held, halves go up, NaN becomes 0", async () => {
  const x = tensor([-7, 7, NaN, 0, -1, 1, Infinity], [7]);
  assertEquals([...await toBytes(x)], [0, 255, 0, 128, 0, 255, 255]);
});
Deno.test("a wrong number of bytes is refused", () => {
  assertThrows(() => fromBytes(new Uint8Array(3), [4]), RangeError, "got 3 bytes");
});
