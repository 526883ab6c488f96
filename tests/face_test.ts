/** What tells faces apart: the network against face-api.js, and the way from files to numbers. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../cli/errors.ts";
import { evalCommand } from "../cli/eval.ts";
import { metricsIn } from "../cli/evaluator.ts";
import { fetchFace } from "../cli/weights.ts";
import { savePng } from "../data/png.ts";
import { EvalError } from "../eval/errors.ts";
import { featuresOf } from "../eval/extract.ts";
import { loadFace } from "../eval/files/face_weights.ts";
import { identity } from "../eval/metrics/identity.ts";
import { conventionsOf } from "../eval/conventions.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { CheckpointError } from "../io/errors.ts";
import fixture from "./fixtures/face.json" with { type: "json" };
import { drawnFace, drawnImage } from "./drawn_face.ts";
import { assertClose } from "./support.ts";
await openGpu();

const folder = await Deno.makeTempDir(), weights = join(folder, "drawn.bin");
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const { bin, manifest } = drawnFace(), beside = join(folder, "drawn-weights_manifest.json");
await Deno.writeFile(weights, bin);
await Deno.writeTextFile(beside, JSON.stringify(manifest));
const images = fixture.faces.map((_, n) => ({ width: 150, height: 150, rgb: drawnImage(n) }));

Deno.test("the numbers of a face are face-api's", async () => {
  const { net, file } = await loadFace(weights);
  assertEquals([file, net.side], ["drawn.bin", 150]);
  const set = {
    count: images.length,
    async *images() {
      yield* images;
    },
  };
  const { values, dimension } = await featuresOf(net, set);
  assertEquals(dimension, 128);
  assertClose("faces", values, fixture.faces.flat(), { rtol: 1e-4, atol: 1e-4 });
});

Deno.test("identity: pairs of two persons, and how far they are apart", async () => {
  // On a line, at 0, 0.5, 1 and 1: distances 0.5, 1, 1, 0.5, 0.5, 0.
  const values = Float32Array.from([0, 0.5, 1, 1].flatMap((x) => [x, 0]));
  const fake = { count: 4, dimension: 2, values }, like = conventionsOf("pytorch-fid");
  const found = await identity.measure({ real: fake, fake }, {
    like,
    names: { real: "", fake: "" },
  });
  assertEquals([found.value, found.same], [2 / 6, 0.6]);
  assert(Math.abs(Number(found.distance) - 3.5 / 6) < 1e-3, `${found.distance}`);
});

Deno.test("from files to the distance of faces and to identities", async () => {
  const [a, b] = ["a", "b"].map((name) => join(folder, name));
  for (const [i, image] of images.entries()) {
    await savePng(join(a, `${i}.png`), image);
    await savePng(join(b, `${i}.png`), images[0]); // one face, as often
  }
  const evaluate = async (...args: string[]) => {
    const lines: string[] = [], more = ["--feature", "face", "--weights", weights, "--json"];
    assertEquals(await evalCommand([...args, ...more], (line) => lines.push(line)), 0);
    return JSON.parse(lines.join(""));
  };
  const both = await evaluate("fid,identity", "--real", a, "--fake", b);
  const [fid, same] = both.metrics;
  assertEquals([fid.metric, same.metric], ["FID-face", "Identity-face"]);
  assert(fid.value > 0.01, `${fid.value}`);
  assertEquals([same.value, both.feature], [0, "face"]);
  assert(/^150 px, bilinear/.test(both.input), both.input);
  const own = await evaluate("identity", "--real", a, "--fake", a);
  assertEquals(own.value, 1);
  const far = Math.hypot(...fixture.faces[0].map((x, i) => x - fixture.faces[1][i]));
  assert(Math.abs(own.distance - far) < 1e-3 * far, `${own.distance}, not ${far}`);
  await assertRejects(
    () => evaluate("fid", "--real", a, "--fake", b, "--like", "clean-fid"),
    UsageError,
    "no --feature face",
  );
  // A part of each image is that part by itself.
  const [c, d] = ["c", "d"].map((name) => join(folder, name)), part = "150x150+7+3";
  for (const [i, { rgb }] of images.entries()) {
    const wide = new Uint8Array(160 * 153 * 3);
    for (let y = 0; y < 150; y++) {
      wide.set(rgb.subarray(450 * y, 450 * (y + 1)), 3 * (160 * (y + 3) + 7));
    }
    await savePng(join(c, `${i}.png`), { width: 160, height: 153, rgb: wide });
    await savePng(join(d, `${i}.png`), images[1]);
  }
  const cut = await evaluate("identity", "--real", c, "--fake", c, "--face-crop", part);
  assertEquals([cut.distance, cut.value], [own.distance, 1]);
  assert(cut.input.startsWith(`150 px of ${part}`), cut.input);
  const outside = () => evaluate("identity", "--real", d, "--fake", d, "--face-crop", part);
  await assertRejects(outside, EvalError, `${part} lies outside of images of 150 x 150`);
  const all = await evaluate("all", "--real", a, "--fake", b);
  const score = all.metrics.find(({ metric }: { metric: string }) => metric === "IS");
  assert(/needs Inception's logits/.test(score.skipped), score.skipped);
  assertThrows(() => metricsIn("identity"), UsageError, "measure it with gan eval identity");
});

Deno.test("what is no face network, or is missing, is a sentence", async () => {
  await assertRejects(() => loadFace(join(folder, "none.bin")), EvalError, "gan weights face");
  const refused = async (bytes: Uint8Array, text: string, says: string) => {
    const path = join(folder, "odd.bin");
    await Deno.writeFile(path, bytes);
    await Deno.writeTextFile(join(folder, "odd-weights_manifest.json"), text);
    await assertRejects(() => loadFace(path), CheckpointError, says);
  };
  const text = JSON.stringify(manifest);
  await refused(bin.subarray(1), text, "its manifest");
  await refused(bin, "{}", "is no manifest");
  await refused(
    bin,
    text.replace("conv64_1/conv1/conv/bias", "x"),
    "has no conv64_1/conv1/conv/bias",
  );
  await refused(bin, text.replace("float32", "int32"), "no array of float32");
});

Deno.test("gan weights face takes the right files only", async () => {
  const model = join(folder, "packages", "node_modules", "@vladmandic", "face-api", "model");
  const run = (program: string) =>
    program.includes("deno") ? Promise.reject(new Error("no deno")) : Promise.resolve("");
  const missing = () => fetchFace(folder, run);
  await assertRejects(missing, Error, "go online, or put face_recognition_model.bin and");
  await Deno.mkdir(model, { recursive: true });
  await Deno.writeFile(join(model, "face_recognition_model.bin"), bin);
  await assertRejects(missing, EvalError, "expected b413e420");
  assertEquals(await Deno.stat(join(folder, "face_recognition_model.bin")).catch(() => 0), 0);
});
