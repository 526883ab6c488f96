import wgsl from "./lerp.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { ranges, type Storage } from "../gpu/memory.ts";
import { folded, type Live } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";

const lerp = kernel("lerp", wgsl);

/**
 * `y += k (x - y)`, in place; with `k = 1` a copy, exact. Both have the size of `y`, which may exceed a
 * binding: all parameters of a network are one buffer.
 */
export function lerpInto(y: Storage, x: Storage, k: Live<number>): void {
  for (const bound of ranges({ y, x })) {
    const n4 = bound.y.size / 16;
    run(lerp, bound, { n4, k }, folded(Math.ceil(n4 / 64)));
  }
}
