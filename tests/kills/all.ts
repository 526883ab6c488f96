/**
 * Kills many runs: `deno task kills [KILLS [SEED]]`, by default 500. DCGAN's are evaluated, too, and their
 * best checkpoint kept.
 *
 * @module
 */
import { join } from "@std/path";
import { saveSafetensors } from "../../io/safetensors.ts";
import { narrowInception } from "../drawn_inception.ts";
import { KilledRuns, SYSTEMS } from "./kills.ts";

const [wanted = 500, first = 1] = Deno.args.map(Number);
const folder = await Deno.makeTempDir(), weights = join(folder, "narrow.safetensors");
await saveSafetensors(weights, narrowInception());
const dcgan = "--eval-every 0.002 --eval-samples 4 --eval-feature 64 --eval-weights " + weights;
let kills = 0, failed = 0;
try {
  const runs = new KilledRuns(folder, { dcgan });
  await runs.begin();
  const systems = Object.keys(SYSTEMS);
  for (let seed = first; kills < wanted; seed++) {
    const many = 1 + seed % 3; // one, two, or three in a row
    try {
      console.log(await runs.check(systems[seed % systems.length], seed, many));
    } catch (error) {
      failed++;
      console.log(`FAILED: ${(error as Error).message}`);
    }
    kills += many;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${kills} kills, ${failed} runs failed`);
Deno.exit(failed ? 1 : 0);
