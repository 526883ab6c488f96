/** From files of images to numbers, by the command line; the truth is in tests/oracle/inception.py. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { evalCommand } from "../cli/eval.ts";
import { UsageError } from "../cli/errors.ts";
import { decode } from "../data/decode.ts";
import { savePng } from "../data/png.ts";
import { featuresOf, type PixelSet } from "../eval/extract.ts";
import { EvalError } from "../eval/errors.ts";
import { weightsOf } from "../eval/files/weights.ts";
import { Inception } from "../models/inception.ts";
import { loadSafetensors, saveSafetensors } from "../io/safetensors.ts";
import { narrowInception } from "./drawn_inception.ts";
import { assertClose, random } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const fixture = await loadSafetensors(
  new URL("./fixtures/inception.safetensors", import.meta.url).pathname,
);
const N = 24, R = 16, SIZE = R * R * 3;
const folder = await Deno.makeTempDir();
const weights = join(folder, "narrow.safetensors");
await saveSafetensors(weights, narrowInception());
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** The fixture's set of that name as `[N, R, R, 3]`. */
function dataset(name: "a" | "b"): Uint8Array {
  const x = fixture.entries.get(name)!.data as Uint8Array;
  return Uint8Array.from({ length: N * SIZE }, (_, i) => {
    const n = Math.floor(i / SIZE), at = Math.floor(i / 3) % (R * R);
    return x[(n * 3 + i % 3) * R * R + at];
  });
}
async function write(name: string, pixels: Uint8Array, order = [...Array(N).keys()]) {
  for (const [i, n] of order.entries()) {
    const rgb = pixels.subarray(n * SIZE, (n + 1) * SIZE);
    const file = `${String(i).padStart(3, "0")}.png`;
    await savePng(join(folder, name, file), { width: R, height: R, rgb });
  }
  return join(folder, name);
}
const a = await write("a", dataset("a")), b = await write("b", dataset("b"));

async function evaluate(...args: string[]) {
  const lines: string[] = [], out = join(folder, "runs");
  const given = [...args, "--weights", weights, "--out", out, "--json"];
  assertEquals(await evalCommand(given, (line) => lines.push(line)), 0);
  return JSON.parse(lines.join("\n"));
}
const fid = async (real: string, fake: string, feature = "64", ...more: string[]) =>
  (await evaluate("fid", "--real", real, "--fake", fake, "--feature", feature, ...more)).value;
const truth = (feature: string) => (fixture.entries.get(`fid/${feature}`)!.data as Float32Array)[0];

for (const feature of ["64", "2048"]) {
  Deno.test(`files to the distance of feature ${feature}: PyTorch's`, async () => {
    const report = await evaluate("fid", "--real", a, "--fake", b, "--feature", feature);
    assertAlmostEquals(report.value, truth(feature), 1e-4 * truth(feature));
    assertEquals(report.metric, feature === "2048" ? "FID" : `FID-${feature}`);
    assertEquals([report.n_real, report.n_fake], [N, N]);
    assertEquals([report.real.dataset, report.real.resolution, report.real.crop], [
      a,
      R,
      "none",
    ]);
    assertEquals(report.weights.file, "narrow.safetensors");
    assert(/^[0-9a-f]{64}$/.test(report.weights.sha256));
  });
}

Deno.test("a set has no distance to itself, in whatever order, and statistics stand for images", async () => {
  assertEquals(await fid(a, a), 0);
  const turned = await write("turned", dataset("b"), [...Array(N).keys()].reverse());
  assertAlmostEquals(await fid(a, turned), truth("64"), 1e-5 * truth("64"));
  const npz = join(folder, "a.npz");
  const direct = await evaluate(
    "fid",
    "--real",
    a,
    "--fake",
    b,
    "--feature",
    "64",
    "--save-stats",
    npz,
  );
  const again = await evaluate("fid", "--real", npz, "--fake", b, "--feature", "64");
  assertEquals(again.value, direct.value);
  assertEquals([again.n_real, again.real.dataset], [N, a]);
});

Deno.test("noise and blur raise the distance, more of them more", async () => {
  const next = random(1), original = dataset("a");
  const noisy = (by: number) => original.map((x) => Math.max(0, Math.min(255, x + by * next())));
  /** Each pixel with its neighbours to the right and below, so many times. */
  const blurred = (times: number): Uint8Array => {
    if (times === 0) return original;
    const sharper = blurred(times - 1);
    return sharper.map((x, i) => {
      const right = i % (R * 3) + 3 < R * 3 ? sharper[i + 3] : x;
      const below = i % SIZE + R * 3 < SIZE ? sharper[i + R * 3] : x;
      return (x + right + below) / 3;
    });
  };
  const ways = [["noise", noisy, [20, 72]], ["blur", blurred, [1, 4]]] as const;
  for (const [name, spoil, steps] of ways) {
    const found: number[] = [0];
    for (const by of steps) {
      const spoiled = await write(`${name}${by}`, spoil(by));
      found.push(await fid(a, spoiled, "64", "--samples", "12", "--real-samples", "12"));
    }
    assert(found.every((d, i) => i === 0 || d > 1.5 * found[i - 1]), `${name}: ${found}`);
  }
});

Deno.test("the batch size changes nothing", async () => {
  const net = new Inception(weightsOf(narrowInception(), "narrow"), "192"), all = dataset("a");
  const count = 5,
    set: PixelSet = {
      count,
      resolution: R,
      async *batches(size) {
        for (let at = 0; at < count; at += size) {
          yield all.slice(at * SIZE, Math.min(count, at + size) * SIZE);
        }
      },
    };
  const one = await featuresOf(net, set, { batch: 1 }),
    some = await featuresOf(net, set, { batch: 2 });
  // All at once from the source, and yet not at once through the network
  const parts = await featuresOf(net, { ...set, batches: () => set.batches(count) }, { batch: 3 });
  for (const other of [some, parts]) {
    assertEquals(other.count, count);
    assertClose("features", other.values, one.values, { rtol: 1e-5, atol: 1e-6 });
  }
});

Deno.test("KID, Inception Score, precision and recall by the same way", async () => {
  const kid = await evaluate("kid", "--real", a, "--fake", b, "--feature", "192");
  assertEquals([kid.metric, kid.size, kid.subsets], ["KID-192", N, 1]);
  const self = await evaluate("kid", "--real", a, "--fake", a, "--feature", "192");
  assert(kid.value > 0 && self.value < 0, `${kid.value} ${self.value}`); // unbiased: on either side of 0
  const score = await evaluate("is", "--fake", a);
  assertEquals([score.metric, score.n_fake], ["IS", N]);
  assert(score.value >= 1 && score.value < 126, `${score.value}`);
  const pr = await evaluate("pr", "--real", a, "--fake", a, "--feature", "64");
  assertEquals([pr.metric, pr.precision, pr.recall, pr.coverage], ["PR-64", 1, 1, 1]);
});

Deno.test("gan eval all is one table of what each metric gives by itself", async () => {
  const sides = ["--real", a, "--fake", b, "--samples", "12", "--seed", "5"];
  const all = await evaluate("all", ...sides, "--held-out", b);
  const row = (name: string) =>
    all.metrics.find(({ metric }: { metric: string }) => metric === name);
  for (const name of ["fid", "kid", "is", "pr"]) {
    const alone = await evaluate(name, ...sides), found = row(alone.metric);
    for (const key of ["value", "deviation", "precision", "recall", "density", "coverage"]) {
      if (!(key in alone)) continue;
      assertAlmostEquals(found[key], alone[key], 1e-4 * Math.abs(alone[key]));
    }
    assertEquals([found.n_real, found.n_fake], [alone.n_real, 12], name);
  }
  assertAlmostEquals(row("FID").floor.value, (await evaluate("fid", ...sides)).floor.value, 1e-6);
  assertEquals([row("FID").floor.n, row("PR").floor.n], [12, 12]);
  assert(/200/.test(row("FD-infinity").skipped) && /no cell/.test(row("CT").skipped));
  assert(row("Vendi").value > 1 && row("AuthPct").value > 0 && row("MIND").value > 0);
  assert(/^webgan \d/.test(all.program) && all.weights.sha256.length === 64);
  const early = await evaluate("is,mind", ...sides, "--feature", "64", "--like", "torch-fidelity");
  assertEquals(early.metrics.map(({ metric }: { metric: string }) => metric), ["MIND-64", "IS"]);
  assert(/has no mind/.test(early.metrics[0].skipped), early.metrics[0].skipped);
  assert(/--feature 2048, not 64/.test(early.metrics[1].skipped), early.metrics[1].skipped);
});

Deno.test("the table as text: numbers, floors, definitions, and what is left out", async () => {
  const lines: string[] = [], out = join(folder, "runs");
  const sides = ["--real", a, "--fake", b, "--samples", "12", "--feature", "64"];
  const args = ["fid,pr,ct", ...sides, "--weights", weights, "--out", out];
  await evalCommand(args, (line) => lines.push(line));
  const text = lines.join("\n");
  assert(/^ +value +\+- +floor +better$/m.test(text), text);
  assert(/^FID-64 +[\d.e-]+ +[\d.e-]+ +less$/m.test(text), text);
  assert(/^density \(PR-64\) +[\d.]+ +[\d.]+ +more$/m.test(text), text);
  assert(/^ {2}FID-64: pytorch-fid 0\.3\.0 .*1706\.08500/m.test(text), text);
  assert(/^ {2}PR-64: pytorch-fid .*, its input only; k = 3, of density/m.test(text), text);
  assert(/^ {2}CT-64 is left out: .*--held-out$/m.test(text), text);
  assert(/^floor: .* 12 per side/m.test(text) && /^ {2}real +24 images/m.test(text), text);
});

Deno.test("nearest puts copies beside what they are copies of", async () => {
  const to = join(folder, "nearest.png");
  const report = await evaluate(
    "nearest",
    "--real",
    a,
    "--fake",
    a,
    "--feature",
    "64",
    "--to",
    to,
    "--count",
    "3",
  );
  assertEquals(report.distances, [0, 0, 0]);
  const { width, height, rgb } = decode(await Deno.readFile(to));
  assertEquals([width, height], [6 * 64, 3 * 64]);
  const cell = (column: number) =>
    Array.from(
      { length: 64 },
      (
        _,
        y,
      ) => [...rgb.subarray((y * width + column * 64) * 3, (y * width + column * 64 + 64) * 3)],
    );
  assertEquals(cell(1), cell(0));
  assert(JSON.stringify(cell(2)) !== JSON.stringify(cell(0)));
});

Deno.test("fewer samples are spread over the set; broken images are passed over", async () => {
  const c = await write("c", dataset("a"));
  await Deno.writeTextFile(join(c, "0000.png"), "no image");
  const report = await evaluate(
    "fid",
    "--real",
    a,
    "--fake",
    c,
    "--feature",
    "64",
    "--real-samples",
    "12",
  );
  assertEquals([report.n_real, report.n_fake], [12, N]);
});

Deno.test("what cannot be evaluated is a sentence", async () => {
  const run = (...args: string[]) =>
    evalCommand([...args, "--out", join(folder, "runs")], () => {});
  await assertRejects(
    () => run("fun"),
    UsageError,
    "There is no metric fun: choose one of all, fid,",
  );
  await assertRejects(
    () => run("fid", "--checkpoint", "best", "--fake", a),
    UsageError,
    "give one",
  );
  await assertRejects(
    () => run("fid", "--real", a, "--fake", b, "--weights", join(folder, "none.pth")),
    EvalError,
    "6726825d",
  );
  await assertRejects(
    () => evaluate("fid", "--real", join(folder, "ffhq.pkl"), "--fake", b, "--feature", "64"),
    UsageError,
    "numpy.savez(FILE, mu=mean, sigma=cov)",
  );
  const npz = join(folder, "short.npz");
  await evaluate("fid", "--real", a, "--fake", b, "--feature", "64", "--save-stats", npz);
  await assertRejects(
    () => evaluate("fid", "--real", npz, "--fake", b, "--feature", "192"),
    EvalError,
    "the statistics of 8 and 24 features",
  );
  await assertRejects(
    () => evaluate("pr", "--real", npz, "--fake", b),
    UsageError,
    "needs images",
  );
});
