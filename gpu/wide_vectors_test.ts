import { assertEquals } from "@std/assert";
import { deviceInfo, gpu, openGpu } from "./device.ts";
import { lanesOf, product, readsTextures } from "./wide_vectors.ts";

await openGpu();

Deno.test("the lanes of a software device are read from its name", () => {
  assertEquals(lanesOf("llvmpipe (LLVM 15.0.6, 512 bits)"), 16);
  assertEquals(lanesOf("llvmpipe (LLVM 15.0.6, 256 bits)"), 8);
  assertEquals(lanesOf("SwiftShader Device"), 8);
});

Deno.test("where textures count as fast, a product read from them is right", async () => {
  const { software, lanes, fastTextures } = deviceInfo();
  if (fastTextures) assertEquals(await readsTextures(gpu()), true);
  assertEquals(lanes > 0, software);
});

Deno.test("a product with one wrong lane is noticed", async () => {
  const wrong = product.replace("let row = w.y * 2;", "let row = w.y * 2 + u32(l.x == 15);");
  assertEquals(await readsTextures(gpu(), wrong), false);
});
