import wgsl from "./fold.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";

const each = kernel("fold", wgsl, "each"), eachVec4 = kernel("fold", wgsl, "each_vec4");

/** Sizes of the convolution whose windows overlap. */
export type FoldSizes = Readonly<
  Record<"N" | "H" | "W" | "C" | "kh" | "kw" | "Y" | "X" | "s" | "py" | "px", number>
>;

/** Sums `columns [N, Y, X, kh, kw, C]` into `image [N, H, W, C]` where their windows overlap. */
export function foldInto(image: Tensor, columns: Tensor, sizes: FoldSizes): void {
  const { N, H, W, C, kw } = sizes, isVec4 = W * C % 4 === 0 && kw * C % 4 === 0;
  if (isVec4) {
    const bound = { columns4: columns, image4: image };
    run(eachVec4, bound, sizes, [Math.ceil(W * C / 4 / 32), H, N]);
  } else run(each, { columns, image }, sizes, folded(Math.ceil(N * H * W * C / 64)));
}
