import { assertAlmostEquals, assertEquals } from "@std/assert";
import { now } from "../gpu/record.ts";
import { annealed } from "./anneal.ts";
import { presetOptions } from "./recipe.ts";
import { r3gan } from "./r3gan.ts";

const moving = ["lrG", "lrD", "beta2", "r1", "r2"] as const;

Deno.test("options are annealed by half a cosine, and stay as they are in the end", () => {
  const options = { ...presetOptions(r3gan, "paper"), lrD: 4e-4, annealKimg: 2, r2: 1 };
  let images = 0;
  const live = annealed(options, () => images);
  // (1 + cos(pi t)) / 2 is 1, 3/4, 1/2 and 0 at t = 0, 1/3, 1/2 and 1.
  const expected: [number, number[]][] = [
    [0, [2e-4, 4e-4, 0.9, 2, 1]],
    [2000 / 3, [1.625e-4, 3.25e-4, 0.9225, 1.55, 0.775]],
    [1000, [1.25e-4, 2.5e-4, 0.945, 1.1, 0.55]],
    [2000, [5e-5, 1e-4, 0.99, 0.2, 0.1]],
    [1e6, [5e-5, 1e-4, 0.99, 0.2, 0.1]],
  ];
  for (const [at, values] of expected) {
    images = at;
    moving.forEach((name, i) => assertAlmostEquals(now(live[name]), values[i], 1e-12));
  }
});

Deno.test("without annealing, or ends of their own, options stay as they are", () => {
  const options = { ...presetOptions(r3gan, "paper"), annealKimg: 0 };
  assertEquals(annealed(options, () => 5000), options);
  const ends = { annealKimg: 2, lrEnd: 1, beta2End: 0, gammaEnd: 1, r1: 0 };
  const live = annealed({ ...options, ...ends }, () => 1500);
  assertEquals(moving.map((name) => now(live[name])), [2e-4, 2e-4, 0.9, 0, 2]);
});
