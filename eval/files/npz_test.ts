import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { features } from "../../tests/metrics_fixture.ts";
import { assertClose, inFolder } from "../../tests/support.ts";
import { cachedFeatures, cachedStatistics } from "./cache.ts";
import { integerOf } from "../../io/npy.ts";
import { EvalError } from "../errors.ts";
import { zeros } from "../matrix.ts";
import { loadStatistics, saveStatistics } from "./npz.ts";
import { Moments } from "../statistics.ts";

function statistics() {
  const { dimension, values } = features("x"), moments = new Moments(dimension);
  moments.add(values);
  return moments.statistics();
}
Deno.test("statistics that NumPy wrote are read", async () => {
  const path = new URL("../../tests/fixtures/statistics.npz", import.meta.url).pathname;
  const { statistics: read, about } = await loadStatistics(path), ours = statistics();
  assertEquals([read.count, about], [undefined, {}]);
  assertClose("mu", read.mean, ours.mean, { rtol: 1e-12, atol: 1e-14 });
  assertClose("sigma", read.covariance.data, ours.covariance.data, { rtol: 1e-10, atol: 1e-14 });
});

const fixture = (name: string) =>
  new URL(`../../tests/fixtures/npz/${name}.npz`, import.meta.url).pathname;

// Written by tests/oracle/npz.py: every number is exact in float16.
const MEAN = [0.5, -1.25, 2], COVARIANCE = [2, 0.5, -0.25, 0.5, 1, 0.125, -0.25, 0.125, 3];
const WAYS = ["ok", "compressed", "foreign", "n-int32", "big-endian", "float16", "row"];
for (const name of WAYS) {
  Deno.test(`statistics of other programs are read: ${name}`, async () => {
    const { statistics: { count, mean, covariance }, about } = await loadStatistics(fixture(name));
    assertEquals([[...mean], [...covariance.data]], [MEAN, COVARIANCE]);
    assertEquals([count, about], [name === "n-int32" ? 200 : undefined, {}]);
  });
}

Deno.test("other files are refused by what they hold", async () => {
  const refuse = (name: string, part: string) =>
    assertRejects(() => loadStatistics(fixture(name)), EvalError, part);
  await refuse("samples", "it holds arr_0, arr_1");
  await refuse("asymmetric", "sigma is not symmetric: sigma[1, 0] is 0.5, sigma[0, 1] is 1.5");
  await refuse("no-images", "n says that they are of 0 images");
});

Deno.test("a number of images may be alone in an array", () => {
  const bytes = new Uint8Array(Int32Array.of(200, 300).buffer);
  const of = (shape: number[]) => integerOf({ type: "<i4", shape, bytes });
  assertEquals([of([]), of([1]), of([1, 1]), of([2])], [200, 200, 200, undefined]);
});

Deno.test("of a file with other arrays only mu and sigma are read", async () => {
  const path = await Deno.makeTempFile({ suffix: ".npz" });
  try {
    const bytes = await Deno.readFile(fixture("foreign"));
    // Spoils the images, arr_0: whoever read them would notice the wrong checksum.
    const at = new TextDecoder("latin1").decode(bytes).indexOf("arr_0.npy") + 60;
    bytes[at] ^= 0xff;
    await Deno.writeFile(path, bytes);
    assertEquals([...(await loadStatistics(path)).statistics.mean], MEAN);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("statistics come back bit for bit, with what is said of them", () =>
  inFolder(async (folder) => {
    const path = join(folder, "s.npz"), about = { dataset: "faces", feature: "768" };
    await saveStatistics(path, { statistics: statistics(), about });
    assertEquals(await loadStatistics(path), { statistics: statistics(), about });
    const first = await Deno.readFile(path);
    await saveStatistics(path, { statistics: statistics(), about });
    assertEquals(await Deno.readFile(path), first);
  }));

Deno.test("rounding of the largest variance is no asymmetry", () =>
  inFolder(async (folder) => {
    const path = join(folder, "s.npz"), data = Float64Array.of(1, 0.5, 0, 1e6);
    const large = { mean: Float64Array.of(0, 0), covariance: { rows: 2, columns: 2, data } };
    await saveStatistics(path, { statistics: { ...large, count: 9 }, about: {} });
    assertEquals((await loadStatistics(path)).statistics.covariance.data, data);
    data[1] = 11; // above 1e-5 of it
    await saveStatistics(path, { statistics: { ...large, count: 9 }, about: {} });
    await assertRejects(() => loadStatistics(path), EvalError, "sigma is not symmetric");
  }));

Deno.test("files that hold no statistics are refused with a sentence", () =>
  inFolder(async (folder) => {
    const path = join(folder, "s.npz");
    const refuse = (part: string) => assertRejects(() => loadStatistics(path), EvalError, part);
    await refuse("there is no such file");
    await Deno.writeTextFile(path, "no zip");
    await refuse("does not hold statistics");
    const whole = statistics();
    await saveStatistics(path, { statistics: whole, about: {} });
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 100));
    await refuse("does not hold statistics");
    bytes[bytes.length >> 1] ^= 1; // within sigma: its checksum tells
    await Deno.writeFile(path, bytes);
    await refuse("does not hold statistics");
    await saveStatistics(path, { statistics: { ...whole, covariance: zeros(2, 2) }, about: {} });
    await refuse("does not hold statistics");
    const nan = { ...whole, mean: whole.mean.map(() => NaN) };
    await saveStatistics(path, { statistics: nan, about: {} });
    await refuse("not finite");
  }));

Deno.test("what is kept is made once, and again where it was damaged or the content changed", () =>
  inFolder(async (folder) => {
    const key = { folder, name: "faces 1", hash: "h", feature: "64", weights: "w" };
    let made = 0;
    const get = (hash = "h") =>
      cachedStatistics({ ...key, hash }, () => {
        made++;
        return Promise.resolve(statistics());
      });
    assertEquals(await get(), statistics());
    assertEquals([await get(), made], [statistics(), 1]);
    await get("other");
    assertEquals(made, 2);
    for (const { name } of Deno.readDirSync(folder)) await Deno.truncate(join(folder, name), 999);
    assertEquals([await get(), made], [statistics(), 3]);
    const rows = features("few");
    await cachedFeatures(key, () => Promise.resolve(rows));
    assertEquals(await cachedFeatures(key, () => Promise.reject(new Error("made twice"))), rows);
  }));

Deno.test("features that are kept are made anew where a bit of their file has changed, or two", () =>
  inFolder(async (folder) => {
    const key = { folder, name: "faces", hash: "h", feature: "64", weights: "w" };
    const rows = features("few");
    await cachedFeatures(key, () => Promise.resolve(rows));
    const [{ name }] = Deno.readDirSync(folder), path = join(folder, name);
    const whole = await Deno.readFile(path),
      at = new TextDecoder().decode(whole).indexOf("checksum");
    for (const places of [[whole.length - 1], [at, whole.length - 1]]) {
      const changed = whole.slice();
      for (const place of places) changed[place] ^= 1;
      await Deno.writeFile(path, changed);
      let made = 0;
      const found = await cachedFeatures(key, () => Promise.resolve((made++, rows)));
      assertEquals([found, made], [rows, 1]);
    }
  }));
