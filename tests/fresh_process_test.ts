/**
 * What a process did before never changes a training: each preset after all others gives, bit for bit,
 * the tensors that it gives in a process of its own.
 */
import { assertEquals } from "@std/assert";
import { recipes } from "../cli/recipes.ts";

const SCRIPT = new URL("./preset_steps.ts", import.meta.url).pathname;
const BATCHES = [4, 8];

/** The hash that each job ends with, all in one process, one after the other. */
async function hashes(jobs: readonly string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", SCRIPT, ...jobs],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(" ")));
}

const presets = Object.values(recipes).flatMap(({ name, presets }) =>
  Object.keys(presets).map((preset) => [name, preset])
);
const variants = [
  ...presets.map(([name, preset]) => (batch: number) => `${name}/${preset}/${batch}`),
  (batch: number) => `sagan/small/${batch}/attention=16,8`,
  (batch: number) => `sagan/thesis/${batch}/attention=8`,
];
let together: Promise<Record<string, string>> | undefined;

for (const job of variants) {
  const [first, last] = BATCHES.map(job);
  Deno.test(`${last} after all others is what it is alone`, async () => {
    together ??= hashes(variants.flatMap((job) => BATCHES.map(job)));
    const alone = await hashes([last]), all = await together;
    assertEquals(all[last], alone[last]);
    assertEquals(all[first] === all[last], false, "two batches cannot end alike");
  });
}
