import { assert, assertEquals } from "@std/assert";
import { drawn } from "../tests/drawn_cases.ts";
import { changed, changes } from "../tests/mutated_files.ts";
import { inFolder } from "../tests/support.ts";
import { deno } from "../gpu/engines/deno.ts";
import { deviceInfo, newGpu } from "../gpu/device.ts";
import { matmul } from "../kernels/matmul.ts";
import { problemsOf, tunedPlans } from "../kernels/plan.ts";
import { scoped, tensor } from "../tensor/tensor.ts";
import { keepPlans, keptPlans, openTuner, placeOf } from "./tuning.ts";

const plans = { "gather: rows 4, f32": { load: "buffer", MR: 4, NV: 2 } } as const;

Deno.test("plans are kept for this device, and forgotten where one was edited", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/cache/plans.json`;
    assertEquals(await keptPlans(file, "a device"), {});
    await keepPlans(file, "a device", plans);
    assertEquals(await keptPlans(file, "a device"), plans);
    assertEquals(await keptPlans(file, "another"), {});
    const text = await Deno.readTextFile(file), edited = text.replace('"MR": 4', '"MR": 0');
    assert(edited !== text);
    await Deno.writeTextFile(file, edited);
    assertEquals(await keptPlans(file, "a device"), {});
    await Deno.writeTextFile(file, "null");
    assertEquals(await keptPlans(file, "a device"), {});
  });
});

drawn("damaged plans are forgotten", changes, async (changes) => {
  await inFolder(async (folder) => {
    const file = `${folder}/plans.json`;
    await keepPlans(file, "a device", plans);
    await Deno.writeFile(file, changed(await Deno.readFile(file), changes));
    const found = await keptPlans(file, "a device");
    if (Object.keys(found).length > 0) assertEquals(found, plans);
  });
}, 100);

Deno.test("a run keeps the plans that it computes by, and goes on with them", async () => {
  await inFolder(async (folder) => {
    const said: string[] = [], [cache, run] = [`${folder}/cache`, `${folder}/run`];
    const own = `${run}/plans.json`, ones = new Float32Array(64).fill(1);
    const step = () => scoped(() => void matmul(tensor(ones, [8, 8]), tensor(ones, [8, 8])));
    (await newGpu({ engine: deno })).makeCurrent();
    /** A device that knows no plans yet, and what it has after a step. */
    const plansAfter = async (wanted?: boolean) => {
      (await newGpu({ engine: deno })).makeCurrent();
      const device = deviceInfo(), say = (text: string) => void said.push(text);
      await (await openTuner({ cache, run, device, say }, wanted))?.(step);
      return tunedPlans();
    };
    // What this device knows already is not tried.
    const { file, maker } = placeOf(cache, deviceInfo());
    const [name] = problemsOf(step).keys(), first = { [name]: { MR: 4 } };
    await keepPlans(file, maker, first);
    assertEquals(await plansAfter(true), first);
    assertEquals(await keptPlans(own, maker), first);
    // Those of the cache are others by now, or gone.
    await keepPlans(file, maker, { [name]: { MR: 2 } });
    for (const wanted of [true, undefined]) assertEquals(await plansAfter(wanted), first);
    await Deno.remove(cache, { recursive: true });
    assertEquals(await plansAfter(true), first);
    assertEquals(await plansAfter(false), {}, "--no-autotune");
    assertEquals(said, []);
    // Of another device, or damaged.
    await keepPlans(own, `${maker}!`, first);
    await plansAfter();
    assertEquals(said.length, 1);
    assert(said[0].startsWith(`${own} is damaged, or of another device`), said[0]);
  });
});
