/** Evaluation while training: what it writes, which checkpoint it keeps, and the way back to that. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../cli/errors.ts";
import { evalCommand } from "../cli/eval.ts";
import { openEvaluator } from "../cli/evaluator.ts";
import { trainCommand } from "../cli/train.ts";
import type { Dataset } from "../data/pack.ts";
import { savePng } from "../data/png.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { gpu } from "../gpu/gpu.ts";
import { loadSafetensors, saveSafetensors } from "../io/safetensors.ts";
import { dcgan } from "../train/dcgan.ts";
import { trainIn } from "./train_in.ts";
import { defaults } from "../train/options.ts";
import { declined } from "../run/evaluator.ts";
import { Progress } from "../run/progress.ts";
import { bestPath, findCheckpoint, readStats, RunError } from "../run/run_folder.ts";
import { newState } from "../train/state.ts";
import { narrowInception } from "./drawn_inception.ts";
await openGpu();

const R = 16, folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const pixels = (n: number) =>
  Uint8Array.from({ length: n * R * R * 3 }, (_, i) => (i * 7919 + (i >> 5) * 31) % 256);
const imagesIn = async (path: string) => Number((await loadSafetensors(path)).metadata.images);

const options = {
  ...defaults,
  recipe: "dcgan",
  preset: "default",
  resolution: R,
  batch: 4,
  nz: 8,
  ngf: 4,
  ndf: 4,
  kimg: 0.02,
  snapshot: 1,
};
const dataset: Dataset = {
  name: "test",
  count: 10,
  resolution: R,
  pixels: pixels(10),
  hash: "",
  broken: [],
};

Deno.test("the state of least value is kept, and a worse one does not take its place", async () => {
  const run = join(folder, "plain"), said: string[] = [];
  await Deno.mkdir(run);
  const values = [5, 3, 4, 3.5, 6], atCheckpoint: unknown[] = [];
  const evaluated = () => Promise.resolve({ "FID-64": values.shift()!, "PR-64 recall": 0.5 });
  await trainIn({
    state: newState(dcgan, options),
    dataset,
    run,
    progress: new Progress({ style: "lines", write: (text) => said.push(text) }),
    evaluator: { name: "FID-64", every: 4, better: "less", values: evaluated },
    draw: () => {
      // Between a checkpoint and its line of statistics, where a kill would lose what is only in mind.
      const last = Deno.readTextFileSync(join(run, "stats.jsonl")).trim().split("\n").at(-1)!;
      atCheckpoint.push([JSON.parse(last).images, JSON.parse(last)["FID-64"]]);
      return undefined;
    },
  });
  assertEquals(atCheckpoint, [[20, 6]]);
  const told = (await readStats(run)).filter((report) => "FID-64" in report);
  assertEquals(told.map((report) => report["FID-64"]), [5, 3, 4, 3.5, 6]);
  assertEquals(told.map((report) => report.images), [4, 8, 12, 16, 20]);
  assertEquals(await imagesIn(bestPath(run)), 8);
  const best = said.filter((line) => line.includes("the best so far"));
  assertEquals(best.map((line) => line.split(",")[0]), [
    "Image 4: FID-64 5.0000",
    "Image 8: FID-64 3.0000",
  ]);
  assert(
    said.some((line) => line.startsWith("Image 12: FID-64 4.0000, best 3.0000")),
    said.join(""),
  );
  const warned = said.filter((line) => line.includes("has been worse than 3.0000 3 times"));
  assert(warned[0].startsWith("Image 20: "), warned[0]);
  assert(warned[1].includes("100%"), "it stands in the progress line, too");
  assertEquals(warned.length, 2);
});

Deno.test("three evaluations in a row that are clearly worse than the best one are told", () => {
  const fid = { name: "FID", better: "less" } as const;
  const isv = { name: "IS", better: "more" } as const;
  assertEquals(declined([3, 4, 4], fid), undefined);
  assertEquals(declined([3, 4, 3.2, 4, 4], fid), undefined);
  assert(declined([5, 3, 4, 3.5, 6], fid)?.startsWith("FID has been worse than 3.0000 3 times"));
  assertEquals(declined([5, 4, 4.6, 4], isv), undefined);
  assert(declined([5, 4, 4.5, 4.4], isv)?.startsWith("IS has been worse than 5.0000 3 times"));
});

Deno.test("a run is evaluated as gan eval evaluates it, and can go back to its best", async () => {
  const out = join(folder, "runs"), data = join(folder, "images");
  const weights = join(folder, "narrow.safetensors");
  await saveSafetensors(weights, narrowInception());
  for (let i = 0; i < 12; i++) {
    const rgb = pixels(12).subarray(i * R * R * 3, (i + 1) * R * R * 3);
    await savePng(join(data, `${i}.png`), { width: R, height: R, rgb });
  }
  const options = Object.entries({
    data,
    resolution: R,
    batch: 4,
    ngf: 4,
    ndf: 4,
    kimg: 0.004,
    "eval-every": 0.004,
    "eval-samples": 10,
    "eval-feature": "64",
    "eval-weights": weights,
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const go = async (...args: string[]) =>
    assertEquals(await trainCommand([...args, "--out", out, "--json"], () => {}), 0);
  await go("dcgan", ...options);
  const run = join(out, "00000-dcgan-images-16");
  await Deno.copyFile(await findCheckpoint(run), join(run, "first.safetensors"));
  await go("--resume", "latest", "--kimg", "0.012");
  const told = (await readStats(run)).filter((report) => "FID-64" in report);
  assertEquals(told.map((report) => report.images), [4, 8, 12]);
  const values = told.map((report) => Number(report["FID-64"]));
  const least = told[values.indexOf(Math.min(...values))].images;
  assertEquals(await imagesIn(bestPath(run)), least);

  const lines: string[] = [];
  const args = ["--run", "latest", "--checkpoint", "best", "--out", out, "--feature", "64"];
  const more = ["--samples", "10", "--weights", weights, "--json"];
  await evalCommand(["fid", ...args, ...more], (line) => lines.push(line));
  const report = JSON.parse(lines[0]);
  assertAlmostEquals(report.value, Math.min(...values), 1e-9);
  assertEquals([report.metric, report.n_real, report.n_fake], ["FID-64", 12, 10]);
  assertEquals([report.fake.images, report.fake.seed], [least, 0]);
  assertEquals([report.fake.checkpoint, report.fake.rounding], [
    bestPath(run),
    "to the nearest byte, halves up",
  ]);

  // Others' images, against the same real ones
  lines.length = 0;
  const others = ["--run", "latest", "--fake", data, "--out", out, "--feature", "64"];
  await evalCommand(["fid", ...others, "--weights", weights, "--json"], (line) => lines.push(line));
  const { value, real, fake } = JSON.parse(lines[0]);
  assert(Math.abs(value) < 1e-6 && fake.resolution === R && real.dataset === data, lines[0]);

  // Back to the first checkpoint, and on to the end again: the same numbers a second time
  await Deno.copyFile(bestPath(run), join(run, "checkpoint-000007.safetensors"));
  await go("--resume", "latest", "--checkpoint", "first.safetensors", "--kimg", "0.012");
  const again = (await readStats(run)).filter((report) => "FID-64" in report);
  const numbers = (reports: typeof told) => reports.map((r) => [r.images, r["FID-64"]]);
  assertEquals(numbers(again), numbers(told));
  const names = [...Deno.readDirSync(run)].map(({ name }) => name);
  assert(!names.includes("checkpoint-000007.safetensors"), "a later checkpoint was left");
});

Deno.test("an evaluation gives back the memory that it took", async () => {
  const evalWeights = join(folder, "memory.safetensors");
  await saveSafetensors(evalWeights, narrowInception());
  const own = { ...options, evalEvery: 1, evalSamples: 10, evalFeature: "64", evalWeights };
  const { G } = newState(dcgan, own), progress = new Progress({ style: "lines", write: () => {} });
  const evaluator = await openEvaluator(own, dataset, join(folder, "cache"), progress);
  const before = gpu().counters.bytes;
  await evaluator!.values(G);
  assertEquals(gpu().counters.bytes, before);
});

Deno.test("the floor is told where there are twice as many real images as samples", async () => {
  const evalWeights = join(folder, "floor.safetensors"), said: string[] = [];
  await saveSafetensors(evalWeights, narrowInception());
  const own = { ...options, evalEvery: 1, evalSamples: 5, evalFeature: "64", evalWeights };
  const progress = new Progress({ style: "lines", write: (text) => said.push(text) });
  for (const cache of ["floor", "floor", "other"]) { // measured, kept, and measured again
    await openEvaluator(own, dataset, join(folder, cache), progress);
  }
  const told = said.filter((line) => line.includes("FID-64 of 5 real images to 5 others: "));
  assertEquals(told.length, 3, said.join(""));
  assertEquals(new Set(told).size, 1);
});

Deno.test("several metrics: each is told, and the first keeps the best, here the larger", async () => {
  const run = join(folder, "several"), said: string[] = [], found = [0.2, 0.5, 0.4];
  await Deno.mkdir(run);
  await trainIn({
    state: newState(dcgan, { ...options, kimg: 0.012 }),
    dataset,
    run,
    progress: new Progress({ style: "lines", write: (text) => said.push(text) }),
    evaluator: {
      name: "PR-64 recall",
      better: "more",
      every: 4,
      values: () => Promise.resolve({ "PR-64 recall": found.shift()!, "FID-64": 9 }),
    },
  });
  assertEquals(await imagesIn(bestPath(run)), 8);
  assert(
    said.some((line) => /^Image 12: .*0\.4.*, best 0\.50*, FID-64 9/.test(line)),
    said.join(""),
  );

  const evalWeights = join(folder, "several.safetensors");
  await saveSafetensors(evalWeights, narrowInception());
  const metrics = { evalMetrics: "kid,fid,is,pr,vendi", evalFeature: "2048", evalWeights };
  const own = { ...options, evalEvery: 1, evalSamples: 10, ...metrics };
  const twice = { ...dataset, count: 20, pixels: pixels(20), hash: "twice" };
  const progress = new Progress({ style: "lines", write: (text) => said.push(text) });
  const evaluator = await openEvaluator(own, twice, join(folder, "several-cache"), progress);
  assertEquals([evaluator!.name, evaluator!.better], ["KID", "less"]);
  const values = await evaluator!.values(newState(dcgan, own).G);
  const names = [
    "KID",
    "FID",
    "IS",
    ...["precision", "recall", "density", "coverage"].map((x) => `PR ${x}`),
    "Vendi",
  ];
  assertEquals(Object.keys(values), names);
  assert(Object.values(values).every(Number.isFinite), JSON.stringify(values));
  assert(said.some((line) => line.startsWith("FID of 10 real images to 10 others")), said.join(""));
});

Deno.test("what there is no way back to is a sentence", async () => {
  const run = join(folder, "none");
  await Deno.mkdir(run);
  await assertRejects(() => findCheckpoint(run, "best"), RunError, "train with --eval-every");
  await assertRejects(
    () => findCheckpoint(run, "x.safetensors"),
    RunError,
    "no checkpoint x.safetensors",
  );
  await assertRejects(
    () => trainCommand(["dcgan", "--checkpoint", "best"], () => {}),
    UsageError,
    "--resume",
  );
});
