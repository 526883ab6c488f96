/**
 * Weights as other programs compute with them: spectral norms and scales are multiplied in.
 *
 * @module
 */
import { CheckpointError } from "../io/errors.ts";
import type { Entry } from "../io/safetensors.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { BatchNorm2d } from "../nn/layers.ts";
import type { Module } from "../nn/module.ts";
import type { Graph, Layer } from "./graph.ts";

/** The arrays of a graph by name, in PyTorch's layout: `LAYER.weight` and so on. */
export async function arraysOf({ nodes }: Graph): Promise<Map<string, Entry>> {
  const all = new Map<string, Entry>();
  for (const node of nodes) {
    if (node.op === "addScaled") {
      const [[, entry]] = await toEntries([["gamma", node.attention.gamma]]);
      all.set(node.name, entry);
    }
    if (node.op !== "layer") continue;
    for (const [name, entry] of await plain(node.layer)) {
      all.set(`${node.layer.name}.${name}`, entry);
    }
  }
  return all;
}

async function plain({ module, kind }: Layer): Promise<Map<string, Entry>> {
  const entries = await toEntries(module.named());
  if (module instanceof BatchNorm2d) return entries;
  const weight = entries.get("weight") ?? entries.get("weight_orig")!;
  const scale = (module.geometry.scale ?? 1) / sigmaOf(entries, kind === "convTranspose" ? 1 : 0);
  const data = (weight.data as Float32Array).map((w) => w * scale), bias = entries.get("bias");
  return new Map([["weight", { ...weight, data }], ...bias ? [["bias", bias] as const] : []]);
}

/** `u^T W v` of a spectrally normalised weight; 1 of others. `axis` is that of the outputs. */
function sigmaOf(entries: ReadonlyMap<string, Entry>, axis: number): number {
  const W = entries.get("weight_orig");
  if (!W) return 1;
  const [u, v] = ["weight_u", "weight_v"].map((name) => entries.get(name)!.data as Float32Array);
  return dot(u, product(W, axis, v, "u"));
}

/** `W v`, or `W^T u`, of the matrix of outputs by all other axes that a weight is. */
function product(
  { shape: [first, second, kh, kw], data }: Entry,
  axis: number,
  x: ArrayLike<number>,
  gives: "u" | "v",
): Float64Array {
  const taps = kh * kw, [outputs, inputs] = axis === 0 ? [first, second] : [second, first];
  const y = new Float64Array(gives === "u" ? outputs : inputs * taps);
  for (let a = 0, i = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const [o, at] = axis === 0 ? [a, b * taps] : [b, a * taps];
      for (let tap = 0; tap < taps; tap++, i++) {
        if (gives === "u") y[o] += Number(data[i]) * x[at + tap];
        else y[at + tap] += Number(data[i]) * x[o];
      }
    }
  }
  return y;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

const ROUNDS = 50; // of power iteration

/**
 * Singular vectors for a weight that is to be used as it is: the left one has a length of 1 over the
 * largest singular value, so that the quotient by `u^T W v` is the weight itself. The first step of
 * training brings it to a length of 1.
 */
function vectorsOf(W: Entry, axis: number): { u: Float32Array; v: Float32Array } {
  const unit = (x: Float64Array) => x.map((value) => value / (Math.sqrt(dot(x, x)) || 1));
  let u = unit(Float64Array.from({ length: W.shape[axis] }, (_, i) => 1 + Math.sin(i)));
  let v = unit(product(W, axis, u, "v"));
  for (let i = 0; i < ROUNDS; i++) {
    u = unit(product(W, axis, v, "u"));
    v = unit(product(W, axis, u, "v"));
  }
  const sigma = dot(u, product(W, axis, v, "u"));
  return { u: Float32Array.from(u, (x) => x / sigma), v: Float32Array.from(v) };
}

/**
 * The reverse of {@linkcode arraysOf}: the entries of a checkpoint, by the names of the generator's
 * tensors.
 *
 * @param where The file's name, for messages.
 * @throws {CheckpointError} If one is missing.
 */
export function entriesOf(
  G: Module,
  { nodes }: Graph,
  arrays: ReadonlyMap<string, Entry>,
  where: string,
): Map<string, Entry> {
  const paths = new Map([...G.named()].map(([path, t]) => [t, path]));
  const found = new Map<string, Entry>();
  const array = (name: string) => {
    const entry = arrays.get(name);
    if (!entry) throw new CheckpointError(`${where} has no ${name}: it is of another network`);
    return entry;
  };
  for (const node of nodes) {
    if (node.op === "addScaled") found.set(paths.get(node.attention.gamma)!, array(node.name));
    if (node.op !== "layer") continue;
    const { name, module, kind } = node.layer;
    for (const [own, t] of module.named()) {
      if (own !== "weight" && !own.startsWith("weight_")) {
        found.set(paths.get(t)!, array(`${name}.${own}`));
      }
    }
    const weight = array(`${name}.weight`);
    if (module instanceof BatchNorm2d) {
      found.set(paths.get(module.weight)!, weight);
      continue;
    }
    const scale = module.geometry.scale ?? 1;
    const entry = { ...weight, data: (weight.data as Float32Array).map((w) => w / scale) };
    found.set(paths.get((module.weight ?? module.weight_orig)!)!, entry);
    if (!module.spectral) continue;
    const { u, v } = vectorsOf(entry, kind === "convTranspose" ? 1 : 0);
    found.set(paths.get(module.spectral.u)!, { dtype: "F32", shape: [u.length], data: u });
    found.set(paths.get(module.spectral.v)!, { dtype: "F32", shape: [v.length], data: v });
  }
  return found;
}
