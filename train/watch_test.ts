import { assertEquals } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { tensor } from "../tensor/tensor.ts";
import { dcgan } from "./dcgan.ts";
import { presetOptions } from "./recipe.ts";
import { newState } from "./state.ts";
import { watch } from "./watch.ts";

await openGpu();

Deno.test("losses are told from time to time, and at the end", async () => {
  const tiny = { resolution: 8, nz: 2, ngf: 2, ndf: 2, batch: 2 };
  const state = newState(dcgan, { ...presetOptions(dcgan, "small"), ...tiny });
  const steps = async (every: number) => {
    const told: number[][] = [];
    const observer = watch(state, (images, { g }) => told.push([images, g]), every);
    for (const [i, last] of [false, false, true].entries()) {
      state.images = 2 * (i + 1);
      const loss = tensor([i], [1]);
      observer.losses?.({ dReal: loss, dFake: loss, g: loss });
      await observer.stepped?.({ before: 2 * i, last, pause: () => {} });
    }
    await observer.end?.();
    return told;
  };
  assertEquals(await steps(0), [[2, 0], [4, 1], [6, 2]]);
  assertEquals(await steps(60_000), [[6, 1]], "the mean of all");
});
