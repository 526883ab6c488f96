/** The examples of the documentation run and do what they say. */
import { assert } from "@std/assert";
import { swish } from "../examples/custom_op.ts";
import { train } from "../examples/custom_module.ts";
import { run } from "../examples/custom_recipe.ts";
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

Deno.test("example: a recipe of one's own trains, and its images are no longer noise", async () => {
  const { losses, dataset, made } = await run("small", () => {});
  assert(losses.every(Number.isFinite), `${losses}`);
  const mean = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0) / bytes.length;
  const away = Math.abs(mean(made) - mean(dataset.pixels));
  assert(away < 40, `images made are ${away} levels darker or lighter than real ones`);
});
