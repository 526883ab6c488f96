/**
 * What matrix products and convolutions share: operands laid out, a plan, one dispatch.
 *
 * @module
 */
import { folded, run } from "../gpu/record.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { gatherKernel, planGather } from "./gemm.ts";
import { fitsTexture, type Layout, pack } from "./panel.ts";

/** `n` rounded up to a multiple of `m`. */
export function up(n: number, m: number): number {
  return Math.ceil(n / m) * m;
}

/** Sizes of a gather by their names in the shader. */
export type GatherSizes = Record<
  "rows" | "TY" | "TX" | "S" | "E" | "kh" | "kw" | "pad" | "H" | "W" | "OC",
  number
>;

/**
 * Lays both operands out and runs the gather kernel on them.
 *
 * @param images Products in all, each with a layer of its own in both operands.
 */
export function gather(
  a: Tensor,
  A: Layout,
  b: Tensor,
  B: Layout,
  out: Tensor,
  transposed: boolean,
  sizes: GatherSizes,
  images = 1,
): void {
  if (A.channels > 4 * 60_000) {
    throw new RangeError(
      `gather: ${A.channels} terms are too many for one loop of the software device`,
    );
  }
  const texture = fitsTexture(A) && fitsTexture(B);
  const plan = planGather({
    rows: sizes.rows,
    columns: sizes.OC,
    terms: A.channels,
    texture,
  });
  const pa = pack(a, A, plan.load), pb = pack(b, B, plan.load);
  const rowGroups = Math.ceil(sizes.rows / (plan.MR * plan.wy));
  const colGroups = Math.ceil(Math.ceil(sizes.OC / 4) / (plan.NV * plan.wx));
  run(
    gatherKernel(plan, transposed, sizes.OC % 4 === 0),
    { A: pa.resource, B: pb.resource, y: out },
    {
      ...sizes,
      top: A.top,
      left: A.left,
      I4: A.channels / 4,
      rowGroups,
      colGroups,
      images,
      A_rows: pa.rows,
      A_width: pa.width,
      B_rows: pb.rows,
      B_width: pb.width,
    },
    folded(rowGroups * colGroups * sizes.E ** 2 * images),
  );
}
