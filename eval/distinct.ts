import { type Features, select } from "./products.ts";

/** Features without their repetitions. */
export interface Distinct {
  readonly rows: Features;
  /** How often each occurs. */
  readonly copies: Uint32Array;
}

/** Merges equal rows: a generator that always makes the same costs no more than one that does not. */
export function distinct(features: Features): Distinct {
  const { count, dimension: d, values } = features;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const known = new Map<number, number[]>(), first: number[] = [], copies: number[] = [];
  const equal = (a: number, b: number) => {
    for (let c = 0; c < d; c++) if (bits[a * d + c] !== bits[b * d + c]) return false;
    return true;
  };
  for (let i = 0; i < count; i++) {
    let hash = 2166136261; // FNV-1a, a word at a time
    for (let c = i * d; c < (i + 1) * d; c++) hash = Math.imul(hash ^ bits[c], 16777619);
    const candidates = known.get(hash) ?? [];
    const n = candidates.find((n) => equal(first[n], i));
    if (n !== undefined) {
      copies[n]++;
      continue;
    }
    known.set(hash, [...candidates, first.length]);
    first.push(i);
    copies.push(1);
  }
  return { rows: select(features, first), copies: Uint32Array.from(copies) };
}
