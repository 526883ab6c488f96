import { assertEquals } from "@std/assert";
import { deviceInfo } from "./device.ts";
import { gpu } from "./gpu.ts";
import { runsLongLoops } from "./long_loop.ts";
import { passes } from "./self_check.ts";
import { openGpu } from "./engines/deno.ts";

await openGpu();

Deno.test("a loop is run to its end, or the device counts as one with slow buffers", async () => {
  const { software, lanes, slowBuffers } = deviceInfo(), test = runsLongLoops();
  const ends = !await passes(gpu().device, test);
  assertEquals(slowBuffers, software && lanes === 8 && ends);
  // A loop that ends early is noticed.
  const short = { ...test, code: test.code.replace("70000", "60000") };
  assertEquals(await passes(gpu().device, short), false);
});
