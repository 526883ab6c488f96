import { openGpu } from "../gpu/device.ts";
import { assertEquals } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { nonFinite } from "./finite.ts";
await openGpu();

Deno.test("nonFinite() finds NaN and both infinities, wherever they are", async () => {
  const long = new Float32Array(100_003);
  long[100_002] = NaN;
  const tensors = [[1, 2], [NaN, 1], [3], [1, -Infinity, 2], [Infinity]].map((v) =>
    tensor(v, [v.length])
  );
  tensors.push(tensor(long, [long.length]), tensor([3.4e38, -3.4e38, 1e-45], [3]));
  assertEquals(await nonFinite(tensors), [1, 3, 4, 5]);
});
Deno.test("nonFinite() does not look behind the last element", async () => {
  const x = tensor([1, NaN], [2]);
  const short = Object.assign(Object.create(Object.getPrototypeOf(x)), x, { shape: [1] });
  assertEquals(await nonFinite([short]), []);
});
