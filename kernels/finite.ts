/**
 * Looks for NaN and infinity in many tensors with one read.
 *
 * @module
 */
import wgsl from "./finite.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { release, storage } from "../gpu/memory.ts";
import { folded, read, run } from "../gpu/record.ts";
import type { Tensor } from "../tensor/tensor.ts";

const clearKernel = kernel("finite", wgsl, "clear");
const lookKernel = kernel("finite", wgsl, "look");

const MOST_GROUPS = 4096; // with 64 invocations each, loops stay short up to billions of elements

/** The indices of those tensors that have a NaN or an infinity, in order. */
export async function nonFinite(tensors: readonly Tensor[]): Promise<number[]> {
  if (tensors.length === 0) return [];
  const flags = storage(4 * tensors.length), count = tensors.length;
  run(clearKernel, { flags }, { n: count, which: 0 }, folded(Math.ceil(count / 64)));
  for (const [which, x] of tensors.entries()) {
    const groups = Math.min(MOST_GROUPS, Math.ceil(x.size / 256));
    run(lookKernel, { words: x, flags }, { n: x.size, which }, [groups, 1, 1]);
  }
  const copied = read(flags, 4 * count);
  release(flags); // the copy is recorded
  const found = new Uint32Array(await copied);
  return [...found.keys()].filter((i) => found[i]);
}
