/** Features and what NumPy and SciPy make of them: tests/oracle/metrics.py says what there is. */
import { loadSafetensors } from "../io/safetensors.ts";

const path = new URL("./fixtures/metrics.safetensors", import.meta.url).pathname;
const { entries } = await loadSafetensors(path);

/** The array of that name. */
export function array(name: string): Float32Array {
  const entry = entries.get(name);
  if (!entry) throw new Error(`the fixture has no ${name}`);
  return entry.data as Float32Array;
}

/** The features of that name. */
export function features(name: string) {
  const { shape: [count, dimension], data } = entries.get(name)!;
  return { count, dimension, values: data as Float32Array };
}
