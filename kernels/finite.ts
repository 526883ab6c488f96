/**
 * Looks for NaN and infinity in many tensors with one read.
 *
 * @module
 */
import wgsl from "./finite.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { ranges, release, type Storage, storage } from "../gpu/memory.ts";
import { read } from "../gpu/read.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";

const clearKernel = kernel("finite", wgsl, "clear");
const lookKernel = kernel("finite", wgsl, "look");

const MOST_GROUPS = 4096; // with 64 invocations each, loops stay short up to billions of elements

/**
 * The indices of those tensors that have a NaN or an infinity, in order.
 *
 * @param by How a flag for each is read.
 */
export async function nonFinite(
  tensors: readonly Tensor[],
  by: (from: Storage, bytes: number) => Promise<ArrayBuffer> = read,
): Promise<number[]> {
  if (tensors.length === 0) return [];
  const flags = storage(4 * tensors.length), count = tensors.length;
  run(clearKernel, { flags }, { n: count, which: 0 }, folded(Math.ceil(count / 64)));
  for (const [which, x] of tensors.entries()) noteNonFinite(x, flags, which);
  const copied = by(flags, 4 * count);
  release(flags); // the copy is recorded
  const found = new Uint32Array(await copied);
  return [...found.keys()].filter((i) => found[i]);
}

/** Sets word `which` of `flags` to 1 if `x` has a NaN or an infinity; else it stays as it is. */
export function noteNonFinite(x: Tensor, flags: Storage, which: number): void {
  let left = x.size;
  for (const { words } of ranges({ words: x.storage })) {
    const n = Math.min(left, words.size / 4), groups = Math.min(MOST_GROUPS, Math.ceil(n / 256));
    if (n > 0) run(lookKernel, { words, flags }, { n, which }, [groups, 1, 1]);
    left -= n;
  }
}
