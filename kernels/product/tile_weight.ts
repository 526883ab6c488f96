import wgsl from "./tile_weight.wgsl" with { type: "text" };
import { sections } from "../../gpu/wgsl.ts";
import { kernelsOf, type Recipe } from "./recipe.ts";
import { tileSizes, tileSource } from "./tile.ts";

const parts = sections("load", { name: "tile_weight.wgsl", text: wgsl });

/** Weight gradients by tiles, for GPUs. */
export const tiledWeight = kernelsOf("weight", (recipe: Recipe) => {
  const { ROWS4, COLS4 } = tileSizes(recipe.plan), { KU } = recipe.plan;
  return tileSource(recipe, {
    a: [KU * ROWS4, ROWS4],
    b: [KU * COLS4, COLS4],
    values: { GROUPED: recipe.grouped ?? false },
    parts,
  });
});
