import wgsl from "./tile.wgsl" with { type: "text" };
import { expand, type File, type Source, type Values } from "../../gpu/wgsl.ts";
import type { Plan } from "../plan.ts";
import { finishing } from "./finish.ts";
import { operands } from "./operands.ts";
import type { Recipe } from "./recipe.ts";
import { REGISTERS } from "./registers.ts";

/** Texels of an operand that a workgroup loads at each step, `width` side by side. */
type Texels = readonly [texels: number, width: number];

/** How elements of both operands are loaded: its parts are `load.begin`, `load.fetch`, ... */
export interface Loader {
  readonly a: Texels;
  readonly b: Texels;
  readonly values: Values;
  readonly parts: Readonly<Record<string, File>>;
}

/** Sizes of a plan's tiles: numbers, texels of four numbers, and how many invocations load them. */
export function tileSizes({ MR, NV, KU, wx, wy }: Plan) {
  return { ROWS: wy * MR, ROWS4: wy * MR / 4, COLS4: wx * NV, K4: KU / 4, THREADS: wx * wy };
}

/** The text of a product by tiles. */
export function tileSource({ plan, finish }: Recipe, { a, b, ...load }: Loader): Source {
  const { MR, NV, KU, wx: WX, wy: WY } = plan, sizes = tileSizes(plan);
  const from = operands(plan), end = finishing(finish);
  const values = {
    ...{ ...from.values, ...end.values, ...load.values, ...sizes, MR, NV, KU, WX, WY },
    ...inTurn("A", a, sizes.THREADS),
    ...inTurn("B", b, sizes.THREADS),
  };
  const parts = { ...from.parts, ...end.parts, ...load.parts, ...REGISTERS };
  return expand({ name: "tile.wgsl", text: wgsl }, values, parts);
}

/** An invocation loads a texel in each of COUNT lines STEP apart, if ALL do or it is one of BUSY. */
function inTurn(name: string, [texels, width]: Texels, threads: number): Values {
  return {
    [`${name}_COUNT`]: Math.max(1, texels / threads),
    [`${name}_STEP`]: threads / width,
    [`${name}_BUSY`]: Math.min(texels, threads),
    [`${name}_ALL`]: texels >= threads,
  };
}
