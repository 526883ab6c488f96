/**
 * Exponential and logarithm as a part of a kernel's source: `#include exact` declares `exact_exp`,
 * `exact_log` and `log1p`.
 *
 * @module
 */
import exact from "./exact.wgsl" with { type: "text" };
import type { Values } from "../gpu/wgsl.ts";

/** The part, for `expand`. */
export const EXACT = { exact: { name: "exact.wgsl", text: exact } };

/** The values that the part is expanded with, by the type of its functions. */
export const EXACT_FOR = {
  f32: { F: "f32", I: "i32", U: "u32" },
  vec2f: { F: "vec2f", I: "vec2i", U: "vec2u" },
  vec4f: { F: "vec4f", I: "vec4i", U: "vec4u" },
  /** `element` declares these. */
  V: { F: "V", I: "VI", U: "VU" },
} satisfies Record<string, Values>;
