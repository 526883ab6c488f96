/**
 * Kills many runs: `deno task kills [KILLS [SEED]]`, by default 500. DCGAN's are evaluated, too, and their
 * best checkpoint kept. First at moments that chance seldom meets, then at random ones.
 *
 * @module
 */
import { join } from "@std/path";
import { saveSafetensors } from "../../io/safetensors.ts";
import { narrowInception } from "../drawn_inception.ts";
import { KilledRuns, SYSTEMS } from "./kills.ts";

/** What is done to which file when a run of DCGAN is killed. */
const MOMENTS: readonly (readonly string[])[] = [
  ["openSync .*rgb8", "rename .*rgb8", "rename .*options"], // while the cache is made
  ["open .*checkpoint-000000.004.*part", "rename .*checkpoint-000000.004", "remove .*checkpoint"],
  ["open .*best", "rename .*best"],
  ["open .*report", "rename .*report", "stats.jsonl", "rename .*png"],
];

const [wanted = 500, first = 1] = Deno.args.map(Number);
const folder = await Deno.makeTempDir(), weights = join(folder, "narrow.safetensors");
await saveSafetensors(weights, narrowInception());
const dcgan = "--eval-every 0.002 --eval-samples 4 --eval-feature 64 --eval-weights " + weights;
let kills = 0, failed = 0;
try {
  const runs = new KilledRuns(folder, { dcgan }), systems = Object.keys(SYSTEMS);
  await runs.begin();
  const tell = async (followed: ReturnType<KilledRuns["check"]>) => {
    try {
      const { what, kills: more } = await followed;
      kills += more;
      console.log(what);
    } catch (error) {
      failed++;
      console.log(`FAILED: ${(error as Error).message}`);
    }
  };
  for (const moments of MOMENTS) await tell(runs.checkAt("dcgan", moments));
  for (let seed = first; kills < wanted && failed < 20; seed++) {
    await tell(runs.check(systems[seed % systems.length], seed, 1 + seed % 3));
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${kills} kills, ${failed} runs failed`);
Deno.exit(failed ? 1 : 0);
