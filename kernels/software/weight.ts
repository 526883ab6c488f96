import wgsl from "./weight.wgsl" with { type: "text" };
import { expand } from "../../gpu/wgsl.ts";
import { finishing } from "../product/finish.ts";
import { operands } from "../product/operands.ts";
import { kernelsOf, type Recipe } from "../product/recipe.ts";
import { lanes } from "./lanes.ts";

/** Weight gradients without tiles. */
export const weightKernel = kernelsOf("weight", ({ plan, grouped, finish }: Recipe) => {
  const from = operands(plan), of = lanes(plan), end = finishing(finish);
  const { MR, KU, LANES, SHARE_A } = of.values, R4 = MR / 4, texels = KU * R4;
  const LOADED = SHARE_A ? Math.ceil(texels / LANES) : texels; // texels of A, by each invocation
  const values = {
    ...from.values,
    ...of.values,
    ...end.values,
    R4,
    LOADED,
    GROUPED: grouped ?? false,
  };
  const parts = { ...from.parts, ...of.parts, ...end.parts };
  return expand({ name: "weight.wgsl", text: wgsl }, values, parts);
});
