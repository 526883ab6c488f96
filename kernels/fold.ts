import wgsl from "./fold.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { portions } from "./portions.ts";

const each = kernel("fold", wgsl, "each"), fours = kernel("fold", wgsl, "fours");

/** Sizes of the convolution whose windows overlap. */
export type FoldSizes = Readonly<
  Record<"N" | "H" | "W" | "C" | "kh" | "kw" | "Y" | "X" | "s" | "p", number>
>;

/** Adds `columns [N, Y, X, kh, kw, C]` up to `picture [N, H, W, C]` where their windows overlap. */
export function foldInto(picture: Tensor, columns: Tensor, sizes: FoldSizes): void {
  const { N, H, W, C, kw } = sizes, inFours = W * C % 4 === 0 && kw * C % 4 === 0;
  portions([columns, picture], N, ([columns, picture], N) => {
    const params = { ...sizes, N };
    if (inFours) {
      const bound = { columns4: columns, picture4: picture };
      run(fours, bound, params, [Math.ceil(W * C / 4 / 32), H, N]);
    } else run(each, { columns, picture }, params, folded(Math.ceil(N * H * W * C / 64)));
  });
}
