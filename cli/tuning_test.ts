import { assert, assertEquals } from "@std/assert";
import { drawn } from "../tests/drawn_cases.ts";
import { changed, changes } from "../tests/mutated_files.ts";
import { inFolder } from "../tests/support.ts";
import { keepPlans, keptPlans } from "./tuning.ts";

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
