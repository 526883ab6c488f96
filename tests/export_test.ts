/** Exports read back, imports of PyTorch's networks, the model card: from files to images and on. */
import { EVALUATION } from "../nn/context.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../cli/errors.ts";
import { evalCommand } from "../cli/eval.ts";
import { exportCommand } from "../cli/export.ts";
import { cardText, refuseOthers, withoutFolders } from "../cli/export_card.ts";
import { importCommand } from "../cli/import.ts";
import { sampleCommand } from "../cli/sample.ts";
import { trainCommand } from "../cli/train.ts";
import { imageChannels } from "../data/image.ts";
import { savePng } from "../data/png.ts";
import { importedState, sourceOf } from "../export/load.ts";
import { graphOf } from "../export/graph.ts";
import { saveOnnx, saveTorch } from "../export/save.ts";
import { arraysOf } from "../export/weights.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { CheckpointError } from "../io/errors.ts";
import { loadSafetensors, saveSafetensors } from "../io/safetensors.ts";
import { noGrad } from "../tensor/op.ts";
import { tensor } from "../tensor/tensor.ts";
import { upNearest } from "../kernels/resample.ts";
import { findCheckpoint } from "../run/run_folder.ts";
import { loadGenerator, loadState, newState } from "../train/state.ts";
import { recipeOf } from "../cli/recipes.ts";
import { optionsOf } from "../cli/run_options.ts";
import { cases, N, toNCHW } from "./exported.ts";
import { narrowInception } from "./drawn_inception.ts";
import { computeOnnx, fields, text } from "./onnx_reader.ts";
import { assertClose } from "./support.ts";
await openGpu();

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url).pathname;
const all = await cases();

for (const made of all) {
  Deno.test(`${made.name}: what is exported for PyTorch is imported and makes the same images`, async () => {
    const { G, options, stage, latents, expected, name } = made, to = join(folder, name);
    const [weights, text] = await saveTorch(made, to);
    const contents = await loadSafetensors(weights), source = sourceOf(contents, weights);
    assertEquals([source.images, source.stage], [4000, stage]);
    assertEquals({ ...source.options, data: options.data }, options);
    assert(!JSON.stringify(contents.metadata).includes("someone"), "a path of the user's");
    const state = importedState(recipeOf(options.recipe), source);
    const R = options.resolution, C = imageChannels(options), nz = latents.length / N;
    const z = tensor(latents, [N, nz]);
    for (const net of [state.G, ...state.average ? [state.average.net] : []]) {
      const x = noGrad(() => upNearest(net.forward(z, EVALUATION), R / stage.resolution));
      assertClose(name, toNCHW(await x.read(), R, C), expected, { rtol: 0, atol: 2e-5 });
    }
    // Each array has its layer in the text, and each layer its arrays.
    const python = await Deno.readTextFile(text);
    assert(python.includes(`atents [N, ${nz}] to images [N, ${C}, ${R}, ${R}]`), python);
    const layers = [...python.matchAll(/^ {8}self\.(\w+) = /gm)].map(([, layer]) => layer);
    const names = new Set([...contents.entries.keys()].map((key) => key.split(".")[0]));
    assertEquals(new Set(layers), names);
    const graph = graphOf(G, options, stage), arrays = await arraysOf(graph);
    assertEquals([...arrays.keys()].sort(), [...contents.entries.keys()].sort());
  });
}

for (const made of all) {
  Deno.test(`${made.name}: what is exported as ONNX computes the same images`, async () => {
    const path = join(folder, `${made.name}.onnx`);
    await saveOnnx(made, path);
    const { dims, data } = computeOnnx(await Deno.readFile(path), made.latents, N);
    const { resolution: R } = made.options;
    assertEquals(dims, [N, imageChannels(made.options), R, R]);
    assertClose("images", data, made.expected, { atol: 1e-4 });
  });
}

Deno.test("ONNX: operator set 17, the layers in order, their weights, named ends", async () => {
  const made = all.find(({ name }) => name === "sagan")!, path = join(folder, "g.onnx");
  await saveOnnx(made, path);
  const model = fields(await Deno.readFile(path));
  assertEquals(model.get(1), [8]); // ONNX 1.12's format, which has operator set 17
  assertEquals(fields(model.get(8)![0] as Uint8Array).get(2), [17]);
  const graph = fields(model.get(7)![0] as Uint8Array);
  const nodes = graph.get(1)!.map((node) => fields(node as Uint8Array));
  assertEquals(
    nodes.map((node) => text(node.get(4)![0])).join(" "),
    [
      "Reshape ConvTranspose BatchNormalization Relu ConvTranspose BatchNormalization Relu",
      "Conv Conv MaxPool Conv MaxPool Reshape Transpose Reshape MatMul Softmax Reshape Transpose MatMul",
      "Reshape Conv Mul Add ConvTranspose Tanh",
    ].join(" "),
  );
  // Each input was made before, is an array, or comes in.
  const known = new Set([
    "latents",
    ...graph.get(5)!.map((t) => text(fields(t as Uint8Array).get(8)![0])),
  ]);
  for (const node of nodes) {
    for (const input of node.get(1)!) assert(known.has(text(input)), text(input));
    known.add(text(node.get(2)![0]));
  }
  assertEquals(text(fields(graph.get(12)![0] as Uint8Array).get(1)![0]), "images");
  const arrays = await arraysOf(graphOf(made.G, made.options, made.stage));
  for (const bytes of graph.get(5)!) {
    const t = fields(bytes as Uint8Array), array = arrays.get(text(t.get(8)![0]));
    if (!array) continue;
    assertEquals(t.get(1), [...array.shape]);
    const raw = (t.get(9)![0] as Uint8Array).slice();
    assertEquals(new Float32Array(raw.buffer), array.data);
  }
});

Deno.test("networks of PyTorch's DCGAN example give PyTorch's image and logit, and are trained further", async () => {
  const out = join(folder, "runs"), data = join(folder, "faces"), lines: string[] = [];
  for (let i = 0; i < 12; i++) {
    const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, at) => (at * (i + 3)) >> 4);
    await savePng(join(data, `${i}.png`), { width: 64, height: 64, rgb });
  }
  const nets = [fixture("netG.pth"), "--discriminator", fixture("netD.pth")];
  const args = [...nets, "--data", data, "--out", out];
  assertEquals(await importCommand(args, (line) => lines.push(line)), 0);
  assert(/netG of PyTorch's DCGAN example: 64 px, nz 4, ngf 2/.test(lines[0]), lines.join("\n"));
  assert(/from its file, names without their prefix module\.;/.test(lines[1]), lines[1]);
  const run = join(out, "00000-dcgan-imported-64"), options = await optionsOf(run);
  const checkpoint = await findCheckpoint(run);
  const { entries } = await loadSafetensors(fixture("torch_dcgan.safetensors"));
  const array = (name: string) => entries.get(name)!.data as Float32Array;
  const { G } = await loadGenerator(recipeOf("dcgan"), options, checkpoint);
  const image = noGrad(() => G.forward(tensor(array("z"), [1, 4]), EVALUATION));
  assertClose("image", toNCHW(await image.read(), 64), array("image"), { rtol: 0, atol: 1e-5 });
  const state = newState(recipeOf("dcgan"), options);
  await loadState(state, checkpoint);
  const logit = noGrad(() => state.D.forward(image, EVALUATION));
  assertClose("logit", await logit.read(), array("logit"), { rtol: 1e-4 });
  // The same image of a run, of its checkpoint, and of what is exported from it.
  const [weightsOfG] = await saveTorch(
    { ...await loadGenerator(recipeOf("dcgan"), options, checkpoint), options },
    join(folder, "made-of-run"),
  );
  const made = await Promise.all([run, checkpoint, weightsOfG].map(async (what, i) => {
    const to = join(folder, `made${i}.png`);
    assertEquals(await sampleCommand([what, "--count", "4", "--to", to], () => {}), 0);
    return await Deno.readFile(to);
  }));
  for (const each of made) assert(made[0].every((byte, i) => byte === each[i]));
  const weights = join(folder, "narrow.safetensors");
  await saveSafetensors(weights, narrowInception());
  const few = ["--samples", "6", "--feature", "64", "--weights", weights, "--json"];
  assertEquals(await evalCommand(["fid", "--run", run, ...few], (line) => lines.push(line)), 0);
  const { value, n_real } = JSON.parse(lines.at(-1)!);
  assert(value > 0 && n_real === 12, lines.at(-1));
  const more = ["--resume", run, "--kimg", "0.064", "--json"];
  assertEquals(await trainCommand(more, () => {}), 0);
  await exportCommand(["onnx", run], (line) => lines.push(line));
  assert((await Deno.stat(join(run, "generator.onnx"))).size > 10_000);
  const missing = join(run, "new/folder/g.onnx"); // is made
  await exportCommand(["onnx", run, "--to", missing], () => {});
  assert((await Deno.stat(missing)).size > 10_000);
});

Deno.test("what cannot be imported is a sentence", async () => {
  const refused = async (args: string[], says: string) => {
    await assertRejects(
      () => importCommand([...args, "--out", join(folder, "none")], () => {}),
      CheckpointError,
      says,
    );
  };
  await refused([fixture("netD.pth")], "give it with --discriminator");
  await refused([fixture("netG.pth"), "--discriminator", fixture("netG.pth")], "is a generator");
  await refused([fixture("dcgan.safetensors")], "neither a netG");
  const pickle = join(folder, "ffhq.pkl");
  await Deno.writeFile(pickle, Uint8Array.from([0x80, 4, 0x7d, 0x2e])); // {} by Python 3.11
  await refused([pickle], "is a Python pickle, as StyleGAN's and EDM's networks are");
  const gray = join(folder, "gray.safetensors");
  const conv = (shape: number[]) =>
    ({ dtype: "F32", shape, data: new Float32Array(shape.reduce((a, b) => a * b)) }) as const;
  await saveSafetensors(
    gray,
    new Map([["main.0.weight", conv([4, 2, 4, 4])], ["main.3.weight", conv([2, 2, 4, 4])]]),
  );
  await refused([gray], "2 channels, expected 1, 3 or 4");
  const bad = { ...conv([1]), data: Float32Array.of(NaN) };
  assertThrows(
    () => sourceOf({ entries: new Map([["main.0.weight", bad]]), metadata: {} }, "x"),
    CheckpointError,
    "NaN",
  );
  const damaged = [
    { images: "-5" },
    { stage: '{"resolution":16,"fading":true}' },
    { stage: '{"resolution":16,"fading":true,"alpha":"x"}' },
    { stage: '{"resolution":16,"fading":true,"alpha":2}' },
    { stage: '{"resolution":16,"alpha":1}' },
    { stage: "null" },
  ];
  const whole = {
    ...{ webgan: "0.2.0", options: "{}", images: "4000" },
    stage: '{"resolution":16,"fading":true,"alpha":0.3}',
  };
  assertEquals(sourceOf({ entries: new Map(), metadata: whole }, "x").images, 4000);
  for (const part of damaged) {
    assertThrows(
      () => sourceOf({ entries: new Map(), metadata: { ...whole, ...part } }, "x"),
      CheckpointError,
      "x: its metadata lack the progress",
    );
  }
  await assertRejects(() => importCommand([], () => {}), UsageError, "gan import FILE");
  await assertRejects(() => exportCommand(["torhc"], () => {}), UsageError, "did you mean torch?");
  await assertRejects(
    () => exportCommand(["onnx", "--license", "mit"], () => {}),
    UsageError,
    "gan export card",
  );
});

Deno.test("a model card has data, options, metrics with what they depend on, and a licence", () => {
  const [made] = all;
  const report = {
    metrics: [{
      metric: "FID",
      as: "pytorch-fid 0.3.0",
      source: "Heusel",
      value: 12.5,
      n_real: 9,
      n_fake: 8,
    }],
    fake: { seed: 0 },
    weights: { file: "w.pth", sha256: "0123456789abcdef" },
    feature: "2048",
    input: "bilinear",
    program: "webgan 0.2.0",
    device: "d",
    seconds: 1,
    notes: ["few"],
  };
  const card = cardText({
    exported: made,
    checkpoint: "checkpoint-000004.safetensors",
    license: "cc-by-4.0",
    data: { hash: "abc", count: 77 },
    metrics: [report, { ...report, feature: "64" }],
    stats: [{ images: 4000, "FID-64": 0.5, lossG: 1 }, { images: 9000, "FID-64": 0.4 }],
  });
  const [, head, body] = /^---\n([^]*?)\n---\n([^]*)$/.exec(card)!;
  assert(
    /^license: "cc-by-4\.0"$/m.test(head) && /^pipeline_tag: unconditional-image-gen/m.test(head),
  );
  assert(body.includes("faces.zip, 77 images, hash `abc`") && !card.includes("someone"), card);
  assertEquals(body.match(/^FID +12\.500/gm)?.length, 2);
  assert(body.includes("SHA-256 0123456789ab") && body.includes("webgan 0.2.0"), card);
  assert(/at 4 thousand images, .*: FID-64 0\.50000\.$/m.test(body), card);
  assert(body.includes("| `--lr-g` | 0.0002 |") && body.includes("![Samples"), card);
});

Deno.test("a model card tells no folders, and takes numbers of its own checkpoint only", () => {
  const run = "/home/someone/runs/00003-dcgan-faces-64";
  const checkpoint = `${run}/checkpoint-000004.safetensors`;
  const real = { dataset: "/home/someone/faces.zip", crop: "center" };
  const fake = { run, checkpoint, images: 4000, seed: 0 };
  const public_ = withoutFolders({
    ...{ real, fake, heldOut: { dataset: "C:\\Users\\someone\\more" } },
    metrics: [{ metric: "IS", skipped: `${run} holds 9 images, too few for 10 splits` }],
    notes: ["/home/someone/faces.zip has 3 sizes"],
  });
  assertEquals(public_, {
    real: { dataset: "faces.zip", crop: "center" },
    fake: {
      ...{ run: "00003-dcgan-faces-64", checkpoint: "checkpoint-000004.safetensors" },
      ...{ images: 4000, seed: 0 },
    },
    heldOut: { dataset: "more" },
    metrics: [{
      metric: "IS",
      skipped: "00003-dcgan-faces-64 holds 9 images, too few for 10 splits",
    }],
    notes: ["faces.zip has 3 sizes"],
  });
  // The run may have been moved since.
  const own = { run: "runs/00003-dcgan-faces-64", images: 4000 };
  refuseOthers({ fake }, { ...own, checkpoint: `${own.run}/checkpoint-000004.safetensors` });
  const others = [
    { ...fake, run: "runs/00002-dcgan-faces-64" },
    { ...fake, checkpoint: "best.safetensors" },
    { ...fake, images: 3000 },
    { dataset: "made.zip", crop: "none" },
  ];
  for (const fake of others) {
    assertThrows(
      () => refuseOthers({ fake }, { ...own, checkpoint }),
      UsageError,
      `its numbers are of ${"dataset" in fake ? "made.zip" : fake.checkpoint}, not of`,
    );
  }
});
