import wgsl from "./lerp.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { ALIGNMENT, bindable, part, type Storage } from "../gpu/memory.ts";
import { folded, type Live } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";

const lerp = kernel("lerp", wgsl);

/**
 * `y += k (x - y)`, in place; with `k = 1` a copy, exact. Both have the size of `y`, which may exceed a
 * binding: all parameters of a network are one buffer.
 */
export function lerpInto(y: Storage, x: Storage, k: Live<number>): void {
  const most = Math.floor(bindable() / ALIGNMENT) * ALIGNMENT;
  for (let begin = 0; begin < y.size; begin += most) {
    const bytes = Math.min(most, y.size - begin), n4 = bytes / 16;
    const range = (all: Storage) => bytes === y.size ? all : part(all, begin, bytes);
    run(lerp, { x: range(x), y: range(y) }, { n4, k }, folded(Math.ceil(n4 / 64)));
  }
}
