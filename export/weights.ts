/**
 * Weights as other programs compute with them: spectral norms and scales are multiplied in.
 *
 * @module
 */
import type { Entry } from "../io/safetensors.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { BatchNorm2d } from "../nn/layers.ts";
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
  const [u, v, w] = ["weight_u", "weight_v", "weight_orig"].map((name) => entries.get(name)!.data);
  const [first, second, kh, kw] = W.shape, taps = kh * kw;
  let sigma = 0;
  for (let a = 0, i = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const [o, c] = axis === 0 ? [a, b] : [b, a];
      for (let tap = 0; tap < taps; tap++, i++) {
        sigma += Number(u[o]) * Number(w[i]) * Number(v[c * taps + tap]);
      }
    }
  }
  return sigma;
}
