import wgsl from "./fold.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { portions } from "./portions.ts";

const fold = kernel("fold", wgsl);

/** Sizes of the convolution whose windows overlap. */
export type FoldSizes = Readonly<
  Record<"N" | "H" | "W" | "C" | "kh" | "kw" | "Y" | "X" | "s" | "p", number>
>;

/** Adds `columns [N, Y, X, kh, kw, C]` up to `picture [N, H, W, C]` where their windows overlap. */
export function foldInto(picture: Tensor, columns: Tensor, sizes: FoldSizes): void {
  const { N, H, W, C } = sizes;
  portions(
    [columns, picture],
    N,
    ([columns, picture], N) =>
      run(fold, { columns, picture }, { ...sizes, N }, folded(Math.ceil(N * H * W * C / 64))),
  );
}
