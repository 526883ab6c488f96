import { assertEquals } from "@std/assert";
import { broadcasts } from "./broadcast.ts";
import { deviceInfo } from "./device.ts";
import { gpu } from "./gpu.ts";
import { passes as passesOn, type SelfTest } from "./self_check.ts";
import { readsTextures } from "./wide_vectors.ts";
import { openGpu } from "./engines/deno.ts";

await openGpu();

const passes = (test: SelfTest) => passesOn(gpu().device, test);

Deno.test("where textures count as fast, a product read from them is right", async () => {
  const { name, software, lanes, fastTextures } = deviceInfo();
  // With this version of LLVM, Mesa reads textures rightly, however wide its vectors are.
  if (name.startsWith("llvmpipe (LLVM 15")) assertEquals(fastTextures, true);
  if (fastTextures) assertEquals(await passes(readsTextures()), true);
  assertEquals(lanes > 0, software);
});

Deno.test("where lanes count as sharing, they do", async () => {
  const { lanes, sharing } = deviceInfo();
  if (sharing) assertEquals(await passes(broadcasts(lanes)), true);
});

Deno.test("a wrong lane is noticed, and so is a refusal", async () => {
  const product = readsTextures(),
    row = product.code.replace("w.y * 2;", "w.y * 2 + u32(l.x == 15);");
  assertEquals(await passes({ ...product, code: row }), false);
  const { lanes } = deviceInfo(), shared = broadcasts(lanes || 8);
  const own = shared.code.replace(/subgroupBroadcast\((\S+), \du\)/g, "$1");
  assertEquals(await passes({ ...shared, code: own }), false);
  assertEquals(await passes({ ...shared, code: "no shader" }), false);
});
