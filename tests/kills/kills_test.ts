import { inFolder } from "../support.ts";
import { KilledRuns, SYSTEMS } from "./kills.ts";

Deno.test("runs that are killed, one of them twice, end as unbroken ones, bit for bit", () =>
  inFolder(async (folder) => {
    const runs = new KilledRuns(folder);
    await runs.begin();
    // A process takes a second or two: deno task kills makes hundreds.
    await Promise.all(
      Object.keys(SYSTEMS).map((system, i) =>
        runs.check(system, i + 1, system === "pggan" ? 2 : 1)
      ),
    );
  }));
