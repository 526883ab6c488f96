import wgsl from "./finite.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { read, run, write } from "../gpu/record.ts";
import { release, storage } from "../gpu/memory.ts";
import type { Tensor } from "../tensor/tensor.ts";

const mark = kernel("finite", wgsl);

/** The indices of the tensors that hold NaN or infinity, lowest first. */
export async function nonFinite(tensors: readonly Tensor[]): Promise<number[]> {
  const flags = storage(4 * tensors.length);
  write(flags, new Uint32Array(tensors.length));
  tensors.forEach((x, index) => {
    // Each invocation looks at 64 numbers or so, and never at more than the device's loops allow.
    const groups = Math.min(65_535, Math.ceil(x.size / 4096));
    run(mark, { x, flags }, { n: x.size, index }, [groups, 1, 1]);
  });
  const marks = read(flags, 4 * tensors.length);
  release(flags);
  return [...new Uint32Array(await marks)].flatMap((flag, i) => flag ? [i] : []);
}
