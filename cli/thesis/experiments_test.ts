import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { scheduleOf } from "../../train/growth.ts";
import { parse } from "../options.ts";
import { newOptions } from "../run_options.ts";
import { trainOptions } from "../train_options.ts";
import { ablations } from "./ablations.ts";
import { experiments } from "./experiments.ts";
import { commandOf, jobOf, jobsOf, keyOf, type Scale } from "./plan.ts";

const FULL: Scale = { seeds: 3, samples: 2000, feature: "768" };
const SMALL: Scale = { ...FULL, kimg: 5, resolution: 32, batch: 16, width: 8, data: "/faces.zip" };

Deno.test("every experiment names its own variants, and its name is its own", () => {
  assertEquals(new Set(experiments.map(({ name }) => name)).size, experiments.length);
  for (const { name, variants, claims } of experiments) {
    assert(Object.keys(variants).length > 1, name);
    for (const { better, than } of claims) {
      for (const one of [better, ...than]) assert(Object.hasOwn(variants, one), `${name}: ${one}`);
    }
  }
});

Deno.test("every variant has options that its recipe accepts, at any scale", () => {
  for (const scale of [FULL, SMALL, { ...SMALL, resolution: 8, samples: 0 }]) {
    for (const experiment of experiments) {
      for (const variant of Object.values(experiment.variants)) {
        const job = jobOf(experiment, variant, 1, scale); // throws where they do not go together
        const [name, ...words] = commandOf(job);
        const { options } = newOptions(name, parse(words, trainOptions).values, false);
        assertEquals(options, job.options, "the command line is the run");
        assertEquals(options.resolution, scale.resolution ?? experiment.resolution);
        assertEquals(options.seed, 1);
        if (scale.kimg === undefined) continue;
        const { total } = scheduleOf(job.recipe, options);
        assertAlmostEquals(total, 1000 * scale.kimg * (variant.times ?? 1), 20); // growing networks, too
      }
    }
  }
});

Deno.test("what experiments share is trained once", () => {
  const jobs = jobsOf(experiments, FULL), keys = jobs.map(({ key }) => key);
  assertEquals(new Set(keys).size, keys.length);
  // DCGAN, 16 SAGANs at 32 and 2 at 64 pixels, 3 PGGANs, and of the ablations 3 DCGANs and 10 SAGANs
  assertEquals(jobs.length, FULL.seeds * (23 + 13));
  assertEquals(jobs.slice(0, 2).map(({ recipe: { name } }) => name), ["dcgan", "sagan"]);
  assertEquals(jobs.slice(0, 6).map(({ options: { seed } }) => seed), [0, 0, 1, 1, 2, 2]);
});

Deno.test("a variant may have a batch of its own, and more images than the others", () => {
  const options = (name: string, scale: Scale) =>
    jobOf(ablations, ablations.variants[name], 0, scale).options;
  assertEquals(options("residual, batch 32", SMALL).batch, 32);
  assertEquals(options("residual", SMALL).batch, 16);
  assertEquals(options("dcgan, 3 x images", SMALL).kimg, 15);
  assertEquals(options("dcgan, 3 x images", FULL).kimg, 3000); // the preset has 1000
});

Deno.test("what a run keeps does not make it another run; what it computes does", () => {
  const { recipe, options } = jobOf(experiments[0], experiments[0].variants.dcgan, 0, SMALL);
  const key = (changes: object) => keyOf(recipe, { ...options, ...changes });
  assertEquals(key({ keep: 7, snapshot: 3 }), key({}));
  assertEquals(key({ fmapBase: 64 }), key({}), "DCGAN has no use for it");
  assert(key({ kimg: 6 }) !== key({}));
  assert(key({ lrG: 1e-5 }) !== key({}));
});
