import { assertEquals } from "@std/assert";
import { deviceInfo } from "../../gpu/device.ts";
import { openGpu } from "../../gpu/engines/deno.ts";
import { forcePlan, type Plan, planFor } from "../../kernels/plan.ts";

/** For problems that are not tuned. */
export const untuned = {
  operands: [],
  run: () => {
    throw new Error("nothing is tuned here");
  },
};

/** Registers the checks of what products and convolutions are in, all of these by one plan. */
export async function checkWith(plan: Partial<Plan>): Promise<void> {
  await openGpu();
  forcePlan(plan);
  await import("../../kernels/conv2d_test.ts");
  await import("../../kernels/matmul_test.ts");
  await import("../dcgan_test.ts");
  await import("../sagan_test.ts");
  await import("../pggan_test.ts");
  Deno.test("the plan was in force", () => {
    const sizes = { rows: 64, columns: 64, terms: 64, taps: 1, products: 1 };
    const problem = { ...sizes, texture: true };
    for (const kind of ["gather", "gather_transposed", "weight"] as const) {
      const used = planFor(kind, problem, "f32", untuned);
      // Steps are made to fit, and not every device and kernel shares.
      assertEquals(used, { ...used, ...plan, KU: used.KU, share: used.share });
      if (plan.share && deviceInfo().sharing) assertEquals(used.share, plan.share);
    }
  });
}
