import { assertEquals } from "@std/assert";
import { timeSteps } from "./plan.ts";

Deno.test("steps in which shaders are compiled are not measured", async () => {
  for (const compiling of [0, 1, 2, 3, 7]) {
    const counters = { flop: 0, pipelines: 0 };
    let ms = 0, steps = 0;
    const step = () => {
      const compiles = steps++ < compiling;
      if (compiles) counters.pipelines++;
      ms += compiles ? 60_000 : 100;
      counters.flop += 5;
    };
    const timed = await timeSteps(step, () => Promise.resolve(), () => ms, counters);
    assertEquals(timed, { ms: 100, flop: 5 }, `${compiling} steps compile`);
  }
});

Deno.test("of slow steps one is measured, of fast ones many", async () => {
  for (const [each, expected] of [[20_000, 2], [1000, 4], [1, 128]]) {
    let ms = 0, steps = 0;
    const step = () => {
      steps++;
      ms += each;
    };
    await timeSteps(step, () => Promise.resolve(), () => ms, { flop: 0, pipelines: 0 });
    assertEquals(steps, expected, `steps of ${each} ms`);
  }
});
