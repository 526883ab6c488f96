/** Ten images that are no images, to train on in tests. */
import type { Dataset } from "../data/pack.ts";

/** Of `R` pixels a side, the same each time. */
export function datasetOf(R: number): Dataset {
  const count = 10;
  const pixels = Uint8Array.from({ length: count * R * R * 3 }, (_, i) => (i * 7919) % 256);
  return { name: "test", count, resolution: R, pixels, hash: "", broken: [] };
}
