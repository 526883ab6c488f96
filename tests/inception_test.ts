/** FID's Inception held against PyTorch: tests/oracle/inception.py says what the fixture holds. */
import { assertEquals, assertThrows } from "@std/assert";
import { weightsOf } from "../eval/files/weights.ts";
import { fromBytes } from "../kernels/bytes.ts";
import { type Feature, FEATURES, Inception } from "../models/inception.ts";
import { CheckpointError } from "../io/errors.ts";
import { type Entry, loadSafetensors } from "../io/safetensors.ts";
import { scoped } from "../tensor/tensor.ts";
import { assertClose } from "./support.ts";
import { narrowInception } from "./drawn_inception.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const path = new URL("./fixtures/inception.safetensors", import.meta.url).pathname;
const { entries } = await loadSafetensors(path);
const N = 6, R = 16; // of the fixture's 24 images a set
const bytes = toNHWC(entries.get("a")!.data as Uint8Array);

/** `[N, 3, R, R] -> [N, R, R, 3]`. */
function toNHWC(x: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: N * R * R * 3 }, (_, i) => {
    const n = Math.floor(i / (3 * R * R)), at = Math.floor(i / 3) % (R * R);
    return x[(n * 3 + i % 3) * R * R + at];
  });
}
function features(feature: Feature, weights = narrowInception()): Promise<Float32Array> {
  const net = new Inception(weightsOf(weights, "narrow"), feature);
  return scoped(() => net.forward(fromBytes(bytes, [N, R, R, 3]))).read();
}

for (const feature of FEATURES) {
  Deno.test(`Inception's feature ${feature} is PyTorch's`, async () => {
    const expected = entries.get(`a/${feature}`)!, d = expected.shape[1];
    const top = Math.max(...(expected.data as Float32Array).map(Math.abs));
    assertClose(feature, await features(feature), expected.data.slice(0, N * d) as Float32Array, {
      rtol: 0,
      atol: 2e-6 * top,
    });
  });
}

Deno.test("batch norms that are folded already give the same", async () => {
  const open = narrowInception(), folded = new Map<string, Entry>();
  for (const [name, { shape, data }] of open) {
    if (!name.endsWith(".conv.weight")) continue;
    const bn = name.replace("conv.weight", "bn."), O = shape[0], inner = data.length / O;
    const [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(
      (part) => open.get(bn + part)!.data as Float32Array,
    );
    const scale = (o: number) => gamma[o] / Math.sqrt(variance[o] + 1e-3);
    const weight = (data as Float32Array).map((w, i) => w * scale(Math.floor(i / inner)));
    folded.set(name, { dtype: "F32", shape, data: weight });
    const bias = beta.map((b, o) => b - mean[o] * scale(o));
    folded.set(name.replace("weight", "bias"), { dtype: "F32", shape: [O], data: bias });
  }
  const a = await features("192"), b = await features("192", folded);
  assertClose("192", b, a, { rtol: 1e-5, atol: 1e-6 });
});

Deno.test("weights that lack something or are of another network are refused", () => {
  const make = (weights: Map<string, Entry>, feature: Feature) =>
    new Inception(weightsOf(weights, "w.pth"), feature);
  const short = new Map([...narrowInception()].filter(([name]) => !/^(Mixed_7[bc]|fc)/.test(name)));
  assertThrows(
    () => make(short, "2048"),
    CheckpointError,
    "w.pth has no Mixed_7b.branch1x1.conv.weight: it goes as far as Mixed_7a",
  );
  assertEquals(make(short, "768").feature, "768");
  const imagenet = new Map(narrowInception()).set(
    "AuxLogits.fc.weight",
    short.values().next().value!,
  );
  assertThrows(() => make(imagenet, "64"), CheckpointError, "is torchvision's Inception");
  assertThrows(() => make(new Map(), "64"), CheckpointError, "does not hold an Inception");
  const wrong = new Map(narrowInception());
  wrong.set("Conv2d_1a_3x3.conv.weight", {
    dtype: "F32",
    shape: [4, 3, 5, 5],
    data: new Float32Array(300),
  });
  assertThrows(
    () => make(wrong, "64"),
    CheckpointError,
    "F32 [4,3,5,5], expected F32 [any,any,3,3]",
  );
});

Deno.test("weights in float64 are those in float32", async () => {
  const doubled = [...narrowInception()].map(([name, entry]): [string, Entry] => [
    name,
    { ...entry, dtype: "F64", data: Float64Array.from(entry.data as Float32Array) },
  ]);
  assertEquals(await features("64", new Map(doubled)), await features("64"));
});
