import type { Entry } from "./safetensors.ts";

/** The first entry that holds NaN or infinity, as `G.output.weight holds NaN`. */
export function nonFiniteIn(entries: ReadonlyMap<string, Entry>): string | undefined {
  for (const [name, { data }] of entries) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    let i = 0;
    while (i < data.length && Number.isFinite(data[i])) i++;
    if (i < data.length) return `${name} holds ${Number.isNaN(data[i]) ? "NaN" : "infinity"}`;
  }
  return undefined;
}
