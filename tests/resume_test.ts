/** Going on with a run: what is refused, what is told, and what is left of a branch that was given up. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../cli/errors.ts";
import { reportCommand } from "../cli/report.ts";
import { optionsOf } from "../cli/run_options.ts";
import { sampleCommand } from "../cli/sample.ts";
import { trainCommand } from "../cli/train.ts";
import { DataError } from "../data/errors.ts";
import { savePng } from "../data/png.ts";
import { gpu } from "../gpu/gpu.ts";
import { loadMetadata, loadSafetensors, saveSafetensors } from "../io/safetensors.ts";
import { CheckpointError } from "../io/errors.ts";
import { lockRun } from "../run/lock.ts";
import { findCheckpoint, readStats, RunError } from "../run/run_folder.ts";
import { VERSION } from "../train/version.ts";
import { assertSame } from "./support.ts";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const data = join(folder, "images"), R = 16;

async function addImage(i: number): Promise<void> {
  const rgb = Uint8Array.from({ length: R * R * 3 }, (_, j) => (j * (7 + i)) % 256);
  await savePng(join(data, `${i}.png`), { width: R, height: R, rgb });
}
for (let i = 0; i < 4; i++) await addImage(i);

const NETS = "--preset small --resolution 16 --batch 2 --ngf 2 --ndf 2 --nz 2 --keep 9";

/** Trains; returns what was said. */
async function train(line: string): Promise<string[]> {
  const said: string[] = [], write = Deno.stdout.writeSync;
  Deno.stdout.writeSync = (bytes) => {
    said.push(...new TextDecoder().decode(bytes).trim().split("\n"));
    return bytes.length;
  };
  try {
    const args = [...line.split(" ").filter(Boolean), "--json", "--no-autotune"];
    assertEquals(await trainCommand(args, (text) => said.push(text)), 0);
  } finally {
    Deno.stdout.writeSync = write;
  }
  return said.map((line) => JSON.parse(line)).flatMap(({ say }) => say ?? []);
}

/** A run of 4 images, with a snapshot after each 2. */
async function newRun(name: string, more = ""): Promise<{ out: string; run: string }> {
  const out = join(folder, name);
  await train(`dcgan ${NETS} --data ${data} --kimg 0.004 --snapshot 0.002 --out ${out} ${more}`);
  return { out, run: join(out, "00000-dcgan-images-16") };
}

async function files(run: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(run), ({ name }) => name)).sort();
}

/** All files' bytes but the lock's, by name. */
async function contents(run: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const name of await files(run)) {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(run, name)));
    all[name] = new Uint8Array(digest).toHex();
  }
  return all;
}

async function change(path: string, changes: Record<string, unknown>): Promise<void> {
  const before = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...before, ...changes }));
}

Deno.test("a finished run says so, and its files stay as they are", async () => {
  const { out, run } = await newRun("finished"), before = await contents(run);
  await Deno.writeTextFile(
    join(run, "fakes000000.004.png.0a1b2c3d.part"),
    "killed at the last grid",
  );
  const [line] = await train(`--resume latest --out ${out}`);
  assertEquals(line, `${run} is already at 0.004 of 0.004 kimg; give --kimg N to go on`);
  const [less] = await train(`--resume latest --out ${out} --kimg 0.001`);
  assertEquals(less, `${run} is already at 0.004 of 0.001 kimg; give --kimg N to go on`);
  // The last step went beyond the end.
  const [beyond] = await train(`--resume latest --out ${out} --kimg 0.003`);
  assertEquals(beyond, `${run} is already at 0.003 of 0.003 kimg; give --kimg N to go on`);
  assertEquals(await contents(run), before);
  // The page can be made again, from what the run left.
  await Deno.remove(join(run, "report.html"));
  assertEquals(await reportCommand(["latest", "--out", out], () => {}), 0);
  assertEquals(await contents(run), before);
});

Deno.test("a resumed run leaves the same checkpoint, to the byte, and one line for as many images", async () => {
  const { out, run } = await newRun("resumed");
  await train(`--resume latest --out ${out} --kimg 0.008`);
  const whole = await newRun("whole");
  await Deno.remove(whole.run, { recursive: true });
  await train(
    `dcgan ${NETS} --data ${data} --kimg 0.008 --snapshot 0.002 --out ${whole.out}`,
  );
  const [a, b] = await Promise.all([run, whole.run].map(contents));
  for (const name of ["002", "004", "006", "008"].map((n) => `000000.${n}`)) {
    assertEquals(a[`fakes${name}.png`], b[`fakes${name}.png`], name);
  }
  const last = "checkpoint-000000.008.safetensors";
  assertEquals(a[last], b[last], "the checkpoints differ");
  for (const folder of [run, whole.run]) {
    const images = (await readStats(folder)).map(({ images }) => images);
    assertEquals(images, [...new Set(images)], "two lines with the same images");
    assertEquals(images.at(-1), 8);
  }
});

Deno.test("five snapshots closer than a thousand images are five files of each kind", async () => {
  const { out, run } = await newRun("close");
  await train(`--resume latest --out ${out} --kimg 0.01`);
  const kinds = (await files(run)).filter((name) => /^(checkpoint-|fakes)/.test(name));
  assertEquals(kinds.length, 10, String(kinds));
});

Deno.test("going back removes later checkpoints, statistics and grids", async () => {
  const { out, run } = await newRun("back");
  await train(`--resume latest --out ${out} --kimg 0.008`);
  const back = "checkpoint-000000.002.safetensors";
  await train(`--resume latest --out ${out} --checkpoint ${back} --kimg 0.004`);
  const left = (await files(run)).filter((name) => /^(checkpoint-|fakes)/.test(name));
  assertEquals(left, [
    back,
    "checkpoint-000000.004.safetensors",
    "fakes000000.002.png",
    "fakes000000.004.png",
  ]);
  assertEquals((await readStats(run)).map(({ images }) => images), [2, 4]);
});

Deno.test("options.json is held to what the command line accepts", async () => {
  const { out, run } = await newRun("edited"), path = join(run, "options.json");
  const good = await Deno.readTextFile(path), before = await contents(run);
  const cases: [Record<string, unknown>, ...string[]][] = [
    [{ keep: 0 }, "--keep 0: expected a number at least 1"],
    [{ keep: -3 }, "--keep -3: expected a number at least 1"],
    [{ batch: 0 }, "--batch 0: expected a number from 2 to 4096"],
    [{ ngf: 0 }, "--ngf 0: expected a number from 1 to 1024"],
    [{ lrG: -1 }, "--lr-g -1: expected a number from 1e-9 to 1"],
    [{ lrG: 1e300 }, "--lr-g 1e+300: expected a number from 1e-9 to 1"],
    [{ beta1: -5 }, "--beta1 -5: expected a number from 0 to 1"],
    [{ labelSmoothing: 5 }, "--label-smoothing 5: expected a number from 0.5 to 1"],
    [{ resize: "nope" }, "--resize nope: choose one of area, bilinear, nearest"],
    [{ snapshot: 0 }, "--snapshot 0: expected a number"],
    [{ kimg: -1 }, "--kimg -1: expected a number"],
    [{ kimg: 0 }, "--kimg 0: expected a number"], // which is right for pggan alone
    [{ kimg: "4" }, 'kimg is "4", expected a number'],
    [{ kmig: 1, kepe: 2, keep: 0 }, "no option kmig", "no option kepe", "--keep 0"],
    [{ augment: "color,color" }, "color is there twice"],
    [{ crop: "10x" }, "--crop 10x"],
    [{ ngf: 4 }, "ngf is 4, and 2 in the checkpoint", "cannot change"],
  ];
  for (const [changes, ...says] of cases) {
    await Deno.writeTextFile(path, good);
    await change(path, changes);
    const error = await assertRejects(() => train(`--resume latest --out ${out}`), RunError);
    for (const part of [path, ...says]) assertStringIncludes(error.message, part);
  }
  await Deno.writeTextFile(path, good);
  assertEquals(await contents(run), before, "a refused run changes nothing");
  assertEquals((await optionsOf(run)).ngf, 2);
  // What may change is told.
  await change(path, { keep: 3 });
  const said = await train(`--resume latest --out ${out} --kimg 0.006`);
  assert(said.includes("options.json: keep is 3, and 9 in the checkpoint"), said.join("\n"));
  assertEquals((await optionsOf(run)).kimg, 0.006, "the next time it goes on as far");
});

Deno.test("other images under the same name are refused, unless they are accepted", async () => {
  const { out, run } = await newRun("other");
  await addImage(4);
  try {
    const line = `--resume latest --out ${out} --kimg 0.006`;
    const { message } = await assertRejects(() => train(line), RunError, "other images");
    for (const part of ["4 then, 5 now", "--accept-data"]) assertStringIncludes(message, part);
    await train(`${line} --accept-data`);
    assertEquals((await loadMetadata(await findCheckpoint(run))).images, "6");
  } finally {
    await Deno.remove(join(data, "4.png"));
  }
});

Deno.test("a run is trained by one process, and what killed ones left is removed", async () => {
  const { out, run } = await newRun("locked"), line = `--resume latest --out ${out} --kimg 0.006`;
  const left = ["checkpoint-000000.008.safetensors.part", "report.html.0a1b2c3d.part"];
  for (const name of [...left, "mine.part"]) await Deno.writeTextFile(join(run, name), "half");
  using lock = await lockRun(run);
  const before = await contents(run), back = "checkpoint-000000.002.safetensors";
  for (const place of ["", ` --checkpoint ${back}`]) {
    const { message } = await assertRejects(
      () => train(line + place),
      RunError,
      "being trained by",
    );
    assertStringIncludes(message, `process ${Deno.pid} on `);
  }
  assertEquals(await contents(run), before, "nothing of the other's is removed");
  lock[Symbol.dispose]();
  await train(line);
  const names = await files(run);
  assertEquals(names.filter((name) => name.endsWith(".part")), ["mine.part"]);
});

Deno.test("latest is the latest run with a checkpoint, which is said", async () => {
  const { out, run } = await newRun("aborted"), later = join(out, "00001-dcgan-images-16");
  await Deno.mkdir(later);
  await Deno.copyFile(join(run, "options.json"), join(later, "options.json"));
  const said = await train(`--resume latest --out ${out} --kimg 0.006`);
  assertStringIncludes(said.join("\n"), `${later.slice(out.length + 1)} has no checkpoint`);
  assertEquals((await readStats(run)).at(-1)!.images, 6);
});

Deno.test("a checkpoint tells its version and device; of an older one's faults is told once", async () => {
  const out = join(folder, "old"), run = join(out, "00000-sagan-images-16");
  const nets = `${NETS} --attention 8,4 --data ${data} --out ${out}`;
  await train(`sagan ${nets} --kimg 0.002`);
  const path = await findCheckpoint(run), { entries, metadata } = await loadSafetensors(path);
  assertEquals(metadata.version, VERSION);
  assertEquals(typeof JSON.parse(metadata.device).software, "boolean");
  const { version: _, device: __, ...old } = metadata;
  await saveSafetensors(path, entries, old);
  const faults = async (kimg: string) =>
    (await train(`--resume latest --out ${out} --kimg ${kimg}`)).filter((line) =>
      line.includes("made by version 0.1.0")
    ).length;
  assertEquals([await faults("0.004"), await faults("0.006")], [1, 0]);
});

Deno.test("a run is gone on with from another folder", async () => {
  const start = Deno.cwd(), out = join(folder, "elsewhere");
  try {
    Deno.chdir(folder);
    await train(`dcgan ${NETS} --data images --kimg 0.002 --out elsewhere/runs`);
    Deno.chdir(out);
    await train("--resume latest --kimg 0.004");
    await assertRejects(
      () => train("--resume latest --out nowhere"),
      RunError,
      `looked in ${join(out, "nowhere")}`,
    );
  } finally {
    Deno.chdir(start);
  }
});

Deno.test("NaN in a checkpoint ends sample and resume, also of a finished run", async () => {
  const { out, run } = await newRun("poisoned"), path = await findCheckpoint(run);
  const { entries, metadata } = await loadSafetensors(path);
  const name = "adam.D.v.output.weight";
  (entries.get(name)!.data as Float32Array)[0] = NaN;
  await saveSafetensors(path, entries, metadata);
  for (
    const command of [
      () => train(`--resume latest --out ${out}`),
      () => train(`--resume latest --out ${out} --kimg 0.006`),
      () => sampleCommand(["latest", "--out", out], () => {}),
    ]
  ) await assertRejects(command, CheckpointError, `${name} holds NaN`);
});

Deno.test("a run that was killed after its last checkpoint gets the grid that it lacks", async () => {
  const { out, run } = await newRun("gridless"), before = await contents(run);
  const grid = "fakes000000.004.png";
  await Deno.remove(join(run, grid));
  assertStringIncludes((await train(`--resume latest --out ${out}`)).join("\n"), "Done");
  const after = await contents(run);
  for (const name of Object.keys(before).filter((name) => /png|safetensors|jsonl/.test(name))) {
    assertEquals(after[name], before[name], name);
  }
});

Deno.test("a run whose images vanished says so, and goes on when they are back", async () => {
  const { out, run } = await newRun("vanished"), away = `${data}-away`;
  const before = await contents(run), line = `--resume latest --out ${out} --kimg 0.006`;
  await Deno.rename(data, away);
  try {
    const { message } = await assertRejects(() => train(line), DataError, data);
    assertEquals(message.split("\n").length, 1);
    assertEquals(await contents(run), before);
  } finally {
    await Deno.rename(away, data);
  }
  await train(line);
  assertEquals((await readStats(run)).at(-1)!.images, 6);
});

Deno.test("a flipped bit in a checkpoint is noticed, and resume goes back to the one before", async () => {
  const { out, run } = await newRun("flipped"), path = await findCheckpoint(run);
  const good = await Deno.readFile(path), name = "checkpoint-000000.004.safetensors";
  const start = 8 + new DataView(good.buffer).getUint32(0, true); // of the arrays
  const sample = () => sampleCommand(["latest", "--out", out], () => {});
  for (const at of [60, start - 40, start, (start + good.length) >> 1, good.length - 1]) {
    await Deno.writeFile(path, good.with(at, good[at] ^ 1));
    for (
      const command of [sample, () => train(`--resume latest --out ${out} --checkpoint ${name}`)]
    ) {
      const { message } = await assertRejects(command, CheckpointError, path);
      assertEquals(message.split("\n").length, 1, message);
    }
  }
  const said = await train(`--resume latest --out ${out}`);
  assertStringIncludes(
    said.join("\n"),
    `${name} is damaged: back to checkpoint-000000.002.safetensors`,
  );
  assertSame(await Deno.readFile(path), good, "trained again");
  // Cut short, and no other to go back to.
  await Deno.writeFile(path, good.subarray(0, good.length - 4));
  await Deno.remove(join(run, "checkpoint-000000.002.safetensors"));
  await assertRejects(() => train(`--resume latest --out ${out}`), CheckpointError, "cut short");
});

Deno.test("flags take no value, and the run that was meant is asked for", async () => {
  const cases: [string, ...string[]][] = [
    ["dcgan --mirror=maybe", "--mirror takes no value, got maybe"],
    ["dcgan --no-mirror=1", "--no-mirror takes no value"],
    ["dcgan --augment color,color", "color is there twice"],
  ];
  for (const [line, ...says] of cases) {
    const error = await assertRejects(() => trainCommand(line.split(" "), () => {}), UsageError);
    for (const part of says) assertStringIncludes(error.message, part);
  }
  const { out } = await newRun("asked");
  await assertRejects(
    () => train(`--resume 00000-dcgan-images-61 --out ${out}`),
    RunError,
    "did you mean 00000-dcgan-images-16?",
  );
});

Deno.test("sampling again and again holds no more of the device", async () => {
  const { out } = await newRun("sampled"), held: number[][] = [];
  for (let i = 0; i < 3; i++) {
    const to = join(out, `${i}.png`);
    await sampleCommand(["latest", "--out", out, "--count", "4", "--to", to], () => {});
    const { bytes, buffers, textures } = gpu().counters;
    held.push([bytes, buffers, textures]);
  }
  assertEquals(held[2], held[1]);
});
