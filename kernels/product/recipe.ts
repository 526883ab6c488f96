/**
 * Recipes of the kernels of products and convolutions.
 *
 * @module
 */
import { kernel } from "../../gpu/kernel.ts";
import { memo } from "../../gpu/memo.ts";
import type { Source } from "../../gpu/wgsl.ts";
import type { Plan } from "../plan.ts";
import type { Finish } from "./finish.ts";

/** Everything that a kernel's source depends on. */
export interface Recipe {
  readonly plan: Plan;
  /** Of gathers. */
  readonly transposed?: boolean;
  /** Whether channels fall into groups, each with a product of its own. */
  readonly grouped?: boolean;
  readonly finish: Finish;
}

/** Kernels by their recipes. */
export function kernelsOf(name: string, sourceOf: (recipe: Recipe) => Source) {
  return memo((recipe: Recipe) =>
    kernelOf({ label: described(name, recipe), ...sourceOf(recipe) })
  );
}

/** The kernel of a finished source: recipes that differ only in what the source does not show share it. */
const kernelOf = memo(({ label, code, origins }: Source & { label: string }) =>
  kernel(label, { code, origins })
);

/** A short name of a recipe, for messages and profiles. */
function described(name: string, { plan, transposed, grouped, finish }: Recipe): string {
  const { load, MR, NV, KU, single, wx, wy, wz, share, precision } = plan;
  const { vec4, bias, relu, flipped } = finish, half = precision === "f16" ? " f16" : "";
  return `${name}${transposed ? "_transposed" : ""}${
    grouped ? " grouped" : ""
  } ${load} MR${MR} NV${NV} KU${KU}` +
    `${single ? "!" : ""} ${wx}x${wy}x${wz}${share === "none" ? "" : ` share ${share}`}` +
    `${flipped ? " flipped" : ""}${vec4 ? "" : " scalar"}${bias ? " bias" : ""}` +
    `${relu ? " relu" : ""}${half}`;
}
