import { assert } from "@std/assert";
import { inFolder } from "../support.ts";
import { KilledRuns } from "./kills.ts";

// deno task kills makes hundreds. Here a process takes half a second of a processor, one of PGGAN's, which
// measures its phases first, four.
/** What is done to which file when a run is killed, one after the other. */
const MOMENTS: Readonly<Record<string, readonly string[]>> = {
  dcgan: ["rename .*rgb8", "rename .*checkpoint-000000.002", "open .*report", "stats.jsonl"],
  pggan: ["rename .*checkpoint-000000.006", "writeFileSync .*fakes000000.012"], // fading in; at the end
  sagan: [],
  r3gan: [],
};
const KILLS = 20;

Deno.test("runs that are killed, again and again, end as unbroken ones, bit for bit", () =>
  inFolder(async (folder) => {
    const runs = new KilledRuns(folder);
    await runs.begin();
    let kills = 0;
    await Promise.all(
      Object.entries(MOMENTS).map(async ([system, moments]) => {
        if (moments.length > 0) {
          const followed = await runs.checkAt(system, moments);
          assert(followed.kills === moments.length, `not all were met: ${followed.what}`);
          kills += followed.kills;
        }
        if (system !== "pggan") kills += (await runs.check(system, 1, 3)).kills;
      }),
    );
    for (let seed = 2; kills < KILLS; seed++) kills += (await runs.check("dcgan", seed, 3)).kills;
  }));
