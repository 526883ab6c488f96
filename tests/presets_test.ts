/** Every preset's networks and losses at their true sizes, by the kernels that this machine chooses. */
import { assert } from "@std/assert";
import { CASES, checkPreset, optionsOf } from "./presets.ts";

for (const each of CASES) checkPreset(each);

Deno.test("every preset is here, or differs in width, batches, mirroring or averaging from one that is", () => {
  const same = {
    mirror: true,
    ema: 0,
    batch: 0,
    accumulate: 1,
    kimg: 0,
    annealKimg: 0,
    snapshot: 0,
  };
  for (const recipe of new Set(CASES.map(({ recipe }) => recipe))) {
    const gradients = (preset: string) => {
      const options = optionsOf({ recipe, preset, N: 0 });
      return { ...options, ...same, preset: "", fmapBase: 0, fmapMax: 0 };
    };
    const here = CASES.filter((each) => each.recipe === recipe).map(({ preset }) => preset);
    for (const preset of Object.keys(recipe.presets)) {
      const covered = here.map((other) => JSON.stringify(gradients(other)));
      assert(covered.includes(JSON.stringify(gradients(preset))), `${recipe.name} ${preset}`);
    }
  }
});
