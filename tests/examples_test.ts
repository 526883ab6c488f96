/** The examples of the documentation run and do what they say. */
import { assert } from "@std/assert";
import { swish } from "../examples/custom_op.ts";
import { train } from "../examples/custom_module.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { checkOp } from "./check.ts";
await openGpu();

Deno.test("example: an op of one's own has the right values and gradients", async () => {
  const reference = (xs: number[]) => xs.map((x) => x / (1 + Math.exp(-x)));
  for (const shape of [[1], [7, 13], [300]]) {
    await checkOp(swish, reference, [shape], { second: true });
  }
});

Deno.test("example: a module of one's own learns", async () => {
  const losses = await train(200, () => {});
  assert(losses.at(-1)! < losses[0] / 100, `${losses}`);
});
