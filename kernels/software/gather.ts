import wgsl from "./gather.wgsl" with { type: "text" };
import { expand } from "../../gpu/wgsl.ts";
import { finishing } from "../product/finish.ts";
import { operands } from "../product/operands.ts";
import { kernelsOf, type Recipe } from "../product/recipe.ts";
import { WINDOW } from "../product/window.ts";
import { lanes } from "./lanes.ts";

/** Gathers without tiles: products and convolutions. */
export const gatherKernel = kernelsOf("gather", ({ plan, transposed, grouped, finish }: Recipe) => {
  const { flipped: FLIPPED = false } = finish, TRANSPOSED = transposed ?? false;
  const from = operands(plan), of = lanes(plan), end = finishing(finish);
  const { MR, LANES, SHARE_A } = of.values;
  const values = {
    ...{ ...from.values, ...of.values, ...end.values, TRANSPOSED, FLIPPED },
    GROUPED: grouped ?? false,
    // Rows of A that an invocation loads, as `mine` for others, too, or as all of `a`.
    LOADED: SHARE_A ? MR / LANES : MR,
    MINE: SHARE_A ? "mine" : "a",
  };
  const parts = { ...from.parts, ...of.parts, ...end.parts, ...WINDOW };
  return expand({ name: "gather.wgsl", text: wgsl }, values, parts);
});
