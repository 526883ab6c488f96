import wgsl from "./tile_gather.wgsl" with { type: "text" };
import { sections } from "../../gpu/wgsl.ts";
import { kernelsOf, type Recipe } from "./recipe.ts";
import { tileSizes, tileSource } from "./tile.ts";
import { WINDOW } from "./window.ts";

const parts = { ...sections("load", { name: "tile_gather.wgsl", text: wgsl }), ...WINDOW };

/** Gathers by tiles, for GPUs: products and convolutions. */
export const tiledGather = kernelsOf("gather", (recipe: Recipe) => {
  const { ROWS, COLS4, K4 } = tileSizes(recipe.plan);
  const {
    transposed: TRANSPOSED = false,
    grouped: GROUPED = false,
    finish: { flipped: FLIPPED = false },
  } = recipe;
  // Of a flipped B four terms of a column at a time, as of A; else four columns of a term.
  const b = [4 * COLS4 * K4, FLIPPED ? K4 : COLS4] as const;
  return tileSource(recipe, {
    a: [ROWS * K4, K4],
    b,
    values: { TRANSPOSED, GROUPED, FLIPPED },
    parts,
  });
});
