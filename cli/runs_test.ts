import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { createRun } from "../run/new_run.ts";
import { lockRun } from "../run/lock.ts";
import { defaults } from "../train/options.ts";
import { appendStats, checkpointPath, RunError } from "../run/run_folder.ts";
import { inFolder } from "../tests/support.ts";
import { cacheCommand } from "./cache.ts";
import { UsageError } from "./errors.ts";
import { runsCommand, summaryOf } from "./runs.ts";
import { readable } from "./sizes.ts";

const options = {
  ...defaults,
  recipe: "dcgan",
  preset: "small",
  data: "/home/me/faces.zip",
  kimg: 2,
};

async function made(out: string, images: number): Promise<string> {
  const run = await createRun(out, "dcgan-faces", options);
  await appendStats(run, { images: images - 1, "FID-768": 2.5 });
  await appendStats(run, { images, "FID-768": 3 });
  await Deno.writeFile(checkpointPath(run, images), new Uint8Array(1000));
  return run;
}

async function printed(command: typeof runsCommand, ...args: string[]): Promise<string> {
  const lines: string[] = [];
  assertEquals(await command(args, (line) => lines.push(line)), 0);
  return lines.join("\n");
}

Deno.test("a run is summed up without a device", async () => {
  await inFolder(async (out) => {
    const stopped = await summaryOf(await made(out, 500));
    assertEquals(stopped.state, "stopped");
    assertEquals([stopped.system, stopped.data, stopped.kimg, stopped.planned], [
      "dcgan",
      "faces.zip",
      0.5,
      2,
    ]);
    assertEquals(stopped.best, { metric: "FID-768", value: 2.5 });
    assert(stopped.bytes > 1000);
    assertEquals((await summaryOf(await made(out, 2000))).state, "finished");
    const empty = await createRun(out, "dcgan-faces", options);
    assertEquals((await summaryOf(empty)).state, "no checkpoint");
    await Deno.writeTextFile(join(empty, "options.json"), "{");
    assertEquals((await summaryOf(empty)).state, "unreadable");
    const table = await printed(runsCommand, "--out", out);
    assertEquals(table.split("\n").length, 4);
    assert(table.includes("FID-768 2.50  stopped"), table);
  });
});

Deno.test("a run that is being trained is said to be, and is not removed", async () => {
  await inFolder(async (out) => {
    const run = await made(out, 500);
    const lock = await lockRun(run);
    assertEquals((await summaryOf(run)).state, "training");
    await assertRejects(
      () => printed(runsCommand, "rm", "0", "--yes", "--out", out),
      RunError,
      "is being trained",
    );
    lock[Symbol.dispose]();
    assertEquals((await summaryOf(run)).state, "stopped");
  });
});

Deno.test("runs are removed by number or name, and only when asked", async () => {
  await inFolder(async (out) => {
    await made(out, 500);
    const second = basename(await made(out, 500)),
      rm = (...args: string[]) => printed(runsCommand, "rm", "--out", out, ...args);
    await assertRejects(() => rm(), UsageError, "Name the runs");
    for (const other of ["latest", "7", join(out, second), ".."]) {
      await assertRejects(() => rm("--yes", other), RunError, `no run "${other}"`);
    }
    const says = await rm("--yes", "0", second);
    assertEquals(says.split("\n").length, 2);
    assertEquals((await Array.fromAsync(Deno.readDir(out))).length, 0);
  });
});

Deno.test("the cache is listed and cleared", async () => {
  await inFolder(async (out) => {
    assert((await printed(cacheCommand, "--out", out)).startsWith("There is nothing in"));
    await Deno.mkdir(join(out, ".cache"));
    await Deno.writeFile(join(out, ".cache", "faces.rgb8"), new Uint8Array(12_345));
    const listed = await printed(cacheCommand, "--out", out);
    assert(/faces.rgb8 +\d{4}-\d\d-\d\d +12 kB\n1 file in/.test(listed), listed);
    await printed(cacheCommand, "clear", "--yes", "--out", out);
    assertEquals((await Array.fromAsync(Deno.readDir(join(out, ".cache")))).length, 0);
  });
});

Deno.test("sizes are readable", () => {
  assertEquals([0, 999, 1000, 31_456_000, 2.5e9].map(readable), [
    "0 B",
    "999 B",
    "1.0 kB",
    "31 MB",
    "2.5 GB",
  ]);
});
