/**
 * Makes each allocation, pipeline, dispatch, submit, upload, readback and file operation of a short run
 * fail, one at a time: `deno task faults [KIND] [EVERY]`.
 *
 * @module
 */
import { FaultyRuns } from "./run.ts";

const [only, every = "1"] = Deno.args;
const folder = await Deno.makeTempDir();
let failed = 0, done = 0;
try {
  const runs = new FaultyRuns(folder), counts = await runs.counts(true);
  for (const [kind, count] of counts) {
    if (only !== undefined && kind !== only) continue;
    const fresh = ["allocation", "file", "pipeline"].includes(kind);
    for (let at = 0; at < count; at += Number(every)) {
      done++;
      try {
        console.log(await runs.check({ kind, at, fresh }));
      } catch (error) {
        failed++;
        console.log(`FAILED ${kind} ${at}: ${(error as Error).message}`);
      }
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${done} faults, ${failed} failed`);
Deno.exit(failed ? 1 : 0);
