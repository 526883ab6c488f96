/**
 * The element type of a kernel as a part of its source: `#include element` declares `V`, which is vec4f
 * where four divides the last axis, else f32.
 *
 * @module
 */
import element from "./element.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { type Twins, twins } from "../gpu/run.ts";
import { expand, type Values } from "../gpu/wgsl.ts";
import { EXACT } from "./exact.ts";
import { ROW } from "./row.ts";

/** The part, for `expand`. */
export const ELEMENT = { element: { name: "element.wgsl", text: element } };

/** Entry points of one file, by their names. */
export type Entries<N extends string> = Readonly<Record<N, Kernel>>;

/** A file's entry points for both element types. */
export interface ByElement<N extends string> {
  readonly vec4f: Entries<N>;
  readonly f32: Entries<N>;
}

const parts = { ...ELEMENT, ...ROW };

/** Declares entry points of a file that includes `element`. */
export function byElement<N extends string>(
  name: string,
  text: string,
  entries: readonly N[],
  values: Values = {},
): ByElement<N> {
  const family = (VEC4: boolean) => {
    const source = expand({ name: `${name}.wgsl`, text }, { ...values, VEC4 }, {
      ...ELEMENT,
      ...EXACT,
      ...ROW,
    });
    const declared = entries.map((entry) => [entry, kernel(name, source, entry)]);
    return Object.fromEntries(declared) as Entries<N>;
  };
  return { vec4f: family(true), f32: family(false) };
}

/** The same as twins (gpu/run.ts), for a file that has branches for `TEXTURES`. */
export function twinsByElement<N extends string>(
  name: string,
  text: string,
  entries: readonly N[],
  values: Values = {},
): { readonly vec4f: Readonly<Record<N, Twins>>; readonly f32: Entries<N> } {
  const file = { name: `${name}.wgsl`, text }, withVec4 = { ...values, VEC4: true };
  const declared = entries.map((entry) => [entry, twins(name, file, entry, withVec4, parts)]);
  return {
    vec4f: Object.fromEntries(declared) as Record<N, Twins>,
    f32: byElement(name, text, entries, { ...values, TEXTURES: false }).f32,
  };
}
