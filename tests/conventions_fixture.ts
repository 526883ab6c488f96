/** Images and what tools make of them: tests/oracle/conventions.py says what there is. */
import { type Entry, loadSafetensors } from "../io/safetensors.ts";

const path = new URL("./fixtures/conventions.safetensors", import.meta.url).pathname;
const { entries } = await loadSafetensors(path);

/** The names of the arrays. */
export const names: readonly string[] = [...entries.keys()];

/** The array of that name. */
export function entry(name: string): Entry {
  const found = entries.get(name);
  if (!found) throw new Error(`the fixture has no ${name}`);
  return found;
}

/** The bytes of that name. */
export function bytes(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(entry(name).data as Uint8Array);
}

/** The image or images of that name, one after another. */
export function images(name: string): { width: number; height: number; rgb: Uint8Array }[] {
  const [height, width] = entry(name).shape.slice(-3), all = bytes(name);
  const size = height * width * 3;
  return Array.from({ length: all.length / size }, (_, i) => ({
    width,
    height,
    rgb: all.subarray(i * size, (i + 1) * size),
  }));
}
