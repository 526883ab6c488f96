import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { createRun } from "./new_run.ts";
import {
  amendStats,
  appendStats,
  checkpointPath,
  findCheckpoint,
  findRun,
  gridPath,
  keepLast,
  readOptions,
  readStats,
  RunError,
  trimStats,
} from "./run_folder.ts";

function testIn(name: string, body: (out: string) => Promise<void>): void {
  Deno.test(`run folder: ${name}`, async () => {
    const out = await Deno.makeTempDir();
    try {
      await body(out);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  });
}

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

testIn("numbers go up, from the highest that is there", async (out) => {
  const folder = join(out, "deep", "runs");
  assertEquals(await createRun(folder, "dcgan-celeba", {}), join(folder, "00000-dcgan-celeba"));
  await Deno.mkdir(join(folder, "00041-sagan"));
  await Deno.mkdir(join(folder, "99-not-a-run"));
  assertEquals(
    await createRun(folder, "pggan-my faces/2", {}),
    join(folder, "00042-pggan-my-faces-2"),
  );
  assertEquals(await createRun(folder, "", {}), join(folder, "00043"));
});

testIn("runs started at once get different numbers, and none stays a claim", async (out) => {
  const runs = await Promise.all(
    Array.from({ length: 20 }, (_, i) => createRun(out, `run${i}`, { i })),
  );
  const numbers = names(out).map((name) => /^(\d{5})-run/.exec(name)?.[1]);
  assert(!numbers.includes(undefined), `a claim is left in ${names(out)}`);
  assertEquals(new Set(numbers).size, 20);
  for (const [i, run] of runs.entries()) assertEquals(await readOptions(run), { i });
});

testIn("a claim that a crash left is passed over", async (out) => {
  await Deno.mkdir(join(out, ".00000"));
  assertEquals(await createRun(out, "a", {}), join(out, "00001-a"));
  assertEquals(await findRun(out, "latest"), join(out, "00001-a"));
  await assertRejects(() => findRun(out, "0"), RunError, "no run");
  assertEquals(names(out), [".00000", "00001-a"], "it may be of a run that is being made");
  const [theirs, old] = [".00002", ".00003"].map((name) => join(out, name));
  for (const folder of [theirs, old]) await Deno.mkdir(folder);
  await Deno.writeTextFile(join(theirs, "notes.txt"), "");
  await Deno.writeTextFile(join(old, "options.json.part"), "");
  const then = Date.now() / 1000 - 3600;
  for (const folder of [theirs, old]) await Deno.utime(folder, then, then);
  await createRun(out, "b", {});
  assertEquals(names(out), [".00000", ".00002", "00001-a", "00004-b"]);
});

testIn("a folder that cannot be made is said", async (out) => {
  await Deno.writeTextFile(join(out, "file"), "");
  await assertRejects(
    () => createRun(join(out, "file"), "a", {}),
    RunError,
    `run: cannot make a folder in ${join(out, "file")}: `,
  );
});

testIn("options are written to be read by people", async (out) => {
  const run = await createRun(out, "a", { lr: 2e-4, data: "faces" });
  const text = await Deno.readTextFile(join(run, "options.json"));
  assertEquals(text, '{\n  "lr": 0.0002,\n  "data": "faces"\n}\n');
  assertEquals(names(run), ["options.json"]);
});

testIn("broken options are named", async (out) => {
  const run = await createRun(out, "a", {});
  const path = join(run, "options.json");
  for (const text of ['{"lr": 0.', "[1]", "null"]) {
    await Deno.writeTextFile(path, text);
    await assertRejects(() => readOptions(run), RunError, `cannot read ${path}: `);
  }
  await Deno.remove(path);
  await assertRejects(() => readOptions(run), RunError, "it is missing; restore it");
});

testIn("a run is found by number, name, path and as the latest", async (out) => {
  const first = await createRun(out, "a", {});
  const second = await createRun(out, "b", {});
  assertEquals(await findRun(out, "0"), first);
  assertEquals(await findRun(out, "00001"), second);
  assertEquals(await findRun(out, "latest"), second);
  assertEquals(await findRun(out, "00000-a"), first);
  assertEquals(await findRun("elsewhere", first), first);
  await assertRejects(() => findRun(out, "7"), RunError, `no run "7" in ${out}: there are 00000-a`);
  await assertRejects(() => findRun(out, ""), RunError, 'no run ""');
  await assertRejects(() => findRun(join(out, "x"), "latest"), RunError, "there are none yet");
});

testIn("stats are cut back to a checkpoint, half a line included", async (out) => {
  const run = await createRun(out, "a", {});
  assertEquals(await readStats(run), []);
  await trimStats(run, 5);
  for (const images of [1000, 2000, 3000]) await appendStats(run, { images, lossG: 0.5 });
  await Deno.writeTextFile(join(run, "stats.jsonl"), '{"images": 35', { append: true });
  await trimStats(run, 2000);
  await appendStats(run, { images: 3000, lossG: 0.25 });
  assertEquals(
    await Deno.readTextFile(join(run, "stats.jsonl")),
    '{"images":1000,"lossG":0.5}\n{"images":2000,"lossG":0.5}\n{"images":3000,"lossG":0.25}\n',
  );
  assertEquals((await readStats(run)).map(({ images }) => images), [1000, 2000, 3000]);
});

testIn("the newest checkpoint is found, and the oldest ones go", async (out) => {
  const run = await createRun(out, "a", {});
  await assertRejects(() => findCheckpoint(run), RunError, `no checkpoint in ${run}`);
  assertEquals(checkpointPath(run, 200_999), join(run, "checkpoint-000200.safetensors"));
  for (const kimg of [999_999, 200, 1_000_000, 0]) {
    await Deno.writeTextFile(checkpointPath(run, kimg * 1000), "");
  }
  await Deno.writeTextFile(join(run, "checkpoint-9999999.safetensors.part"), "");
  assertEquals(await findCheckpoint(run), join(run, "checkpoint-1000000.safetensors"));
  await keepLast(run, 9);
  assertEquals(names(run).length, 6);
  await keepLast(run, 2);
  const left = names(run).filter((name) => name.endsWith(".safetensors"));
  assertEquals(left, ["checkpoint-1000000.safetensors", "checkpoint-999999.safetensors"]);
  assert(names(run).includes("options.json"));
});

testIn("one checkpoint is kept at least", async (out) => {
  const run = await createRun(out, "a", {});
  for (const kimg of [1, 2]) await Deno.writeTextFile(checkpointPath(run, kimg * 1000), "");
  for (const count of [0, -3]) await keepLast(run, count);
  assertEquals(await findCheckpoint(run), checkpointPath(run, 2000));
});

testIn("names tell apart what is closer than a thousand images", (out) => {
  const path = (images: number, snapshot: number) => checkpointPath(out, images, snapshot);
  assertEquals(path(1252, 0.25), join(out, "checkpoint-000001.252.safetensors"));
  assertEquals(path(1252, 1), join(out, "checkpoint-000001.safetensors"));
  assertEquals(gridPath(out, 999, 0.5), join(out, "fakes000000.999.png"));
  return Promise.resolve();
});

testIn("a line of statistics takes in what comes later of the same images", async (out) => {
  const run = await createRun(out, "a", {});
  for (const images of [1, 2]) await appendStats(run, { images, g: 0.5 });
  await amendStats(run, { images: 2, FID: 7 });
  assertEquals(await readStats(run), [{ images: 1, g: 0.5 }, { images: 2, g: 0.5, FID: 7 }]);
});

Deno.test({
  name: "run folder: a full disk is told with the path",
  ignore: Deno.build.os !== "linux", // where /dev/full is always full
  async fn() {
    const out = await Deno.makeTempDir(), path = join(out, "stats.jsonl");
    try {
      await Deno.symlink("/dev/full", path);
      const error = await assertRejects(() => appendStats(out, { images: 1 }));
      for (const part of [path, "No space left"]) {
        assert((error as Error).message.includes(part), String(error));
      }
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});
