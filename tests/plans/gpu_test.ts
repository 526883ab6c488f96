/** The networks by the kernels that the rules choose for a GPU, all of them together. */
import { AS_GPU, deviceInfo } from "../../gpu/device.ts";
import { gpu } from "../../gpu/gpu.ts";
import { assertEquals } from "@std/assert";
import { planFor } from "../../kernels/plan.ts";
import { variant } from "../../kernels/variant.ts";
import { checkPreset, QUICK } from "../presets.ts";
import { untuned } from "./checks.ts";
import { openGpu } from "../../gpu/engines/deno.ts";

await openGpu();
gpu().describeAs(AS_GPU);
await import("../../nn/context_test.ts");
await import("../../nn/power_iteration_test.ts");
await import("../dcgan_test.ts");
await import("../sagan_test.ts");
await import("../pggan_test.ts");
await import("../r3gan_test.ts");
for (const each of QUICK) checkPreset(each);

Deno.test("kernels are chosen as for a GPU", () => {
  const problem = { rows: 64, columns: 64, terms: 64, taps: 1, products: 1, texture: true };
  const { load } = planFor("gather", problem, "f32", untuned);
  assertEquals([load, variant(), deviceInfo().software], ["tile", "group", false]);
});
