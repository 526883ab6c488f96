/** Every preset's networks and losses at their true sizes, by the kernels that this machine chooses. */
import { assert } from "@std/assert";
import { CASES, checkPreset, optionsOf } from "./presets.ts";

for (const each of CASES) checkPreset(each);

Deno.test("every preset is here, or differs in width, mirroring or averaging from one that is", () => {
  for (const recipe of new Set(CASES.map(({ recipe }) => recipe))) {
    const gradients = (preset: string) => {
      const options = optionsOf({ recipe, preset, N: 0 });
      return { ...options, preset: "", mirror: true, ema: 0, fmapBase: 0, fmapMax: 0 };
    };
    const here = CASES.filter((each) => each.recipe === recipe).map(({ preset }) => preset);
    for (const preset of Object.keys(recipe.presets)) {
      const covered = here.map((other) => JSON.stringify(gradients(other)));
      assert(covered.includes(JSON.stringify(gradients(preset))), `${recipe.name} ${preset}`);
    }
  }
});
