/**
 * What a process did before never changes a training: each preset at two batch sizes gives, bit for bit,
 * the same tensors after all others, before all others, and in a process of its own.
 */
import { assertEquals } from "@std/assert";
import { recipes } from "../cli/recipes.ts";

const SCRIPT = new URL("./preset_steps.ts", import.meta.url).pathname;

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
  Object.keys(presets).map((preset) => [name, preset, ""])
);
const others = [["sagan", "small", "/attention=16,8"], ["sagan", "thesis", "/attention=8"]];
const variants = [...presets, ...others].map(([name, preset, changes]) =>
  [4, 8].map((batch) => `${name}/${preset}/${batch}${changes}`)
);
const jobs = variants.flat();

Deno.test("each preset ends alike, whatever ran before", async () => {
  const [forward, backward] = await Promise.all([hashes(jobs), hashes(jobs.toReversed())]);
  assertEquals(forward, backward);
  for (const [first, second] of variants) assertEquals(forward[first] === forward[second], false);
  // Those whose gradients once depended on it, in fresh processes.
  const fresh = ["pggan/small/8", "sagan/small/8/attention=16,8"];
  for (const alone of await Promise.all(fresh.map((job) => hashes([job])))) {
    for (const job in alone) assertEquals(forward[job], alone[job], job);
  }
});
