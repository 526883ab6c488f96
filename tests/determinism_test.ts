/**
 * The same options, seed and device give the same bits in every process, however many threads the driver
 * computes with: all systems, with what each adds to the others, each in all its stages.
 */
import { assertEquals } from "@std/assert";

const SCRIPT = new URL("./preset_steps.ts", import.meta.url).pathname;

const tiny = "resolution=8/nz=4/ngf=4/ndf=4/fmapBase=32/fmapMax=4";
const jobs = [
  "dcgan/default/4/augment=color,translation,cutout/ema=0.99",
  "sagan/default/4/attention=4/dropout=0.25",
  "pggan/default/4",
  "r3gan/default/4/fmapMax=8",
].map((job) => job.replace("/4", `/4/${tiny}`));

/** What a process of its own ends with. */
async function hashes(threads: number, jobs: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...jobs],
    env: { LP_NUM_THREADS: `${threads}` },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("all systems end with the same bits, twice and by 1, 2 and 4 threads of the driver", async () => {
  const [twice, by2, by4] = await Promise.all([
    hashes(1, [...jobs, ...jobs]),
    ...[2, 4].map((threads) => hashes(threads, jobs)),
  ]);
  const first = twice.splice(0, jobs.length);
  assertEquals(new Set(first.map((line) => line.split(" ")[1])).size, jobs.length);
  for (const other of [twice, by2, by4]) assertEquals(other, first);
});
