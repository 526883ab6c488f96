/** R3GAN's training: resume while options are annealed, memory, what options change, which are refused. */
import { join } from "@std/path";
import { assert, assertEquals } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { idle } from "../gpu/record.ts";
import { scoped } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import type { TrainOptions } from "../train/options.ts";
import { validate } from "../train/validate.ts";
import { presetOptions } from "../train/recipe.ts";
import { r3gan } from "../train/r3gan.ts";
import { loadState, newState, saveState, type State } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { assertSame, inFolder } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** Annealed within four steps. */
const options: TrainOptions = {
  ...presetOptions(r3gan, "small"),
  ...{ resolution: 8, batch: 4, nz: 8, fmapBase: 64, fmapMax: 16, annealKimg: 0.016 },
};
const dataset = datasetOf(options.resolution);

function steps(state: State, n: number): State {
  for (let i = 0; i < n; i++) scoped(() => void advance(state, dataset));
  return state;
}

Deno.test("R3GAN: a resumed run is the unbroken run, bit for bit, while options are annealed", () =>
  inFolder(async (folder) => {
    await saveState(steps(newState(r3gan, options), 2), join(folder, "half"));
    const second = { ...newState(r3gan, { ...options, seed: 77 }), options }; // weights come from the file
    await loadState(second, join(folder, "half"));
    await saveState(steps(second, 3), join(folder, "a"));
    await saveState(steps(newState(r3gan, options), 5), join(folder, "b"));
    const [a, b] = ["a", "b"].map((name) => Deno.readFileSync(join(folder, name)));
    assertSame(a, b, "the resumed run's checkpoint");
  }));

Deno.test("R3GAN: once warm, a step allocates nothing", async () => {
  const state = newState(r3gan, options);
  const step = async () => {
    steps(state, 1);
    await idle();
    const { buffers, textures, bytes, pipelines, bindGroups } = gpu().counters;
    return { buffers, textures, bytes, pipelines, bindGroups };
  };
  await step();
  const second = await step();
  for (let i = 0; i < 3; i++) assertEquals(await step(), second);
});

Deno.test("R3GAN: each option changes the run", async () => {
  const runs: Record<string, Partial<TrainOptions>> = {
    ...{ "as it is": {}, blocks: { blocks: 2 }, r1: { r1: 0 }, r2: { r2: 0 } },
    ...{ lrEnd: { lrEnd: 1 }, beta2End: { beta2End: 0 }, gammaEnd: { gammaEnd: 1 } },
    ...{ annealKimg: { annealKimg: 0 }, fmapMax: { fmapMax: 8 }, loss: { loss: "bce" } },
  };
  const ends: Record<string, string> = {};
  for (const [name, changed] of Object.entries(runs)) {
    const own = { ...options, r1: 20, r2: 20, ...changed };
    assertEquals([validate(own), r3gan.validate!(own)], [undefined, undefined]);
    const { D } = steps(newState(r3gan, own), 4);
    const values = (await Promise.all(D.parameters().map((t) => t.read()))).flatMap((x) => [...x]);
    ends[name] = String(values);
  }
  const [asItIs, ...others] = Object.entries(ends);
  for (const [name, end] of others) assert(end !== asItIs[1], `${name} changes nothing`);
});

Deno.test("R3GAN: channels that have no groups of 16 are refused", () => {
  const refusal = (changed: Partial<TrainOptions>) =>
    r3gan.validate!({ ...options, resolution: 32, ...changed });
  assertEquals(
    refusal({ fmapBase: 512, fmapMax: 60 }),
    "--fmap-base 512 and --fmap-max 60: maps would have 60, 60, 60, 32 channels, expected " +
      "multiples of 8",
  );
  assert(refusal({ fmapBase: 8, fmapMax: 64 })?.includes("maps would have 4, 2, 1, 0 channels"));
  for (const resolution of [8, 16, 32, 64, 128]) {
    for (const preset of Object.keys(r3gan.presets)) {
      const own = { ...presetOptions(r3gan, preset), resolution };
      assertEquals([validate(own), r3gan.validate!(own)], [undefined, undefined]);
    }
  }
});
