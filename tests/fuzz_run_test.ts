/** Files of a run and of the caches as somebody, a crash or another version may leave them. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { recipes } from "../cli/recipes.ts";
import { optionsOf } from "../cli/run_options.ts";
import { packHash, packPath, PackWriter, readPack } from "../data/pack.ts";
import { cachedFeatures, cachedStatistics, keptNumber } from "../eval/files/cache.ts";
import type { Features } from "../eval/products.ts";
import { newSurvey } from "../eval/survey.ts";
import { defaults } from "../train/options.ts";
import { writeReport } from "../run/report.ts";
import { readStats, RunError, trimStats } from "../run/run_folder.ts";
import { drawn } from "./drawn_cases.ts";
import { filesIn, withFolder } from "./image_files.ts";
import { changed, changedRecord, changes } from "./mutated_files.ts";
import { refusesWell } from "./refuses_well.ts";

const saved = Object.values(recipes).flatMap((recipe) =>
  Object.entries(recipe.presets).map(([preset, { options }]) => ({
    ...{ ...defaults, ...options },
    ...{ recipe: recipe.name, preset, data: "/images" },
  }))
);
const options = fc.oneof(...saved.map(changedRecord));

drawn("options of a run as anybody may write them", options, async (options) => {
  await withFolder(async (root) => {
    await Deno.writeTextFile(`${root}/in/options.json`, JSON.stringify(options));
    await refusesWell(() => optionsOf(`${root}/in`), [RunError]);
  });
}, 200);

const report = { images: 1000, time: 3.5, dReal: 0.7, dFake: 0.6, g: 0.8, "sigma/D.0": 1.5 };
const reports = fc.array(changedRecord(report), { minLength: 1, maxLength: 6, size: "max" });

drawn("statistics of a run with lines of another version", reports, async (reports) => {
  await withFolder(async (root) => {
    const run = `${root}/in`, lines = [report, ...reports].map((line) => JSON.stringify(line));
    await Deno.writeTextFile(`${run}/stats.jsonl`, lines.join("\n") + '\n{"images": 2');
    const read = await readStats(run);
    assertEquals(read[0], report);
    assert(read.every(({ images }) => Number.isFinite(images)), "a line tells of no images");
    await refusesWell(() => writeReport(run, saved[0]), []);
    await trimStats(run, 1000);
    assert((await readStats(run)).every(({ images }) => images <= 1000));
    assertEquals(filesIn(root).map(([path]) => path).sort(), ["in/report.html", "in/stats.jsonl"]);
  });
}, 100);

const kept = fc.record({ which: fc.constantFrom("pixels", "header"), changes });

drawn("a damaged pack is made anew", kept, async ({ which, changes }) => {
  await withFolder(async (root) => {
    const hash = await packHash(["x"]), pixels = Uint8Array.from({ length: 24 }, (_, i) => 7 * i);
    const about = { name: "images", hash, resolution: 2, count: 2 };
    const path = packPath(`${root}/cache`, about);
    const labels = { classes: ["a", "b"], of: Uint16Array.of(0, 1) };
    const packed = { ...about, pixels, labels, broken: [], notes: ["1 gif"], sourceNotes: [] };
    await using writer = new PackWriter(path);
    writer.add(pixels);
    await writer.finish(packed);
    const file = which === "pixels" ? path : `${path}.json`;
    await Deno.writeFile(file, changed(await Deno.readFile(file), changes));
    const read = await readPack(path, hash);
    if (read) assertEquals(read, packed); // nothing was changed after all
  });
}, 150);

const values = Float32Array.of(1, 2, 3, 4, 5, 6);
const mean = Float64Array.of(0.5, -1);
const statistics = {
  ...{ count: 9, mean },
  covariance: { rows: 2, columns: 2, data: Float64Array.of(2, 0.5, 0.5, 1) },
};

drawn(
  "damaged features and statistics are made anew",
  fc.record({ changes }),
  async ({ changes }) => {
    await withFolder(async (root) => {
      const folder = `${root}/cache`;
      const key = { folder, name: "images", hash: "h", feature: "2048", weights: "w" };
      const features: Features = { count: 2, dimension: 3, values };
      await cachedFeatures(key, () => Promise.resolve(features), newSurvey());
      await cachedStatistics(key, () => Promise.resolve(statistics), newSurvey());
      for (const [name] of filesIn(folder)) {
        const path = `${folder}/${name}`;
        await Deno.writeFile(path, changed(await Deno.readFile(path), changes));
      }
      const found = await cachedFeatures(key, () => Promise.resolve(features), newSurvey());
      assertEquals(found, features);
      const known = await cachedStatistics(key, () => Promise.resolve(statistics), newSurvey());
      assertEquals(known, statistics);
      assertEquals(filesIn(root).length, 2);
      assertEquals(await keptNumber(key, "nothing"), undefined);
    });
  },
  60,
);
