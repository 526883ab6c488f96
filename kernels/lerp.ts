import wgsl from "./lerp.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import type { Storage } from "../gpu/memory.ts";
import { folded, type Live } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { Tensor } from "../tensor/tensor.ts";
import { portionsByName } from "./portions.ts";

const lerp = kernel("lerp", wgsl);

/** `y += k (x - y)`, in place; with `k = 1` a copy, exact. Both have the size of `y`. */
export function lerpInto(y: Storage, x: Storage, k: Live<number>): void {
  const n4 = y.size / 16, [from, to] = [x, y].map((storage) => new Tensor([n4, 4], storage));
  portionsByName(
    { x: from, y: to },
    n4,
    (bound, n4) => run(lerp, bound, { n4, k }, folded(Math.ceil(n4 / 64))),
  );
}
