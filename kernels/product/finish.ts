import wgsl from "./finish.wgsl" with { type: "text" };
import { sections } from "../../gpu/wgsl.ts";

/** How a kernel finishes its sums. */
export interface Finish {
  /** Whether columns are a multiple of four. */
  readonly vec4: boolean;
  /** Whether a row of B holds the terms of a column, instead of the columns of a term. */
  readonly flipped?: boolean;
  /** Whether `bias` is added, one number a column. */
  readonly bias?: boolean;
  /** Whether a leaky ReLU of `p.slope` is applied. */
  readonly relu?: boolean;
}

const parts = sections("finish", { name: "finish.wgsl", text: wgsl });

/** Parts that finish sums, and their values. */
export function finishing(finish: Finish) {
  const { vec4: VEC4, bias: BIAS = false, relu: RELU = false } = finish;
  const y = VEC4
    ? { Y: "vec4f", PITCH: "p.OC / 4", PARTS: 1 }
    : { Y: "f32", PITCH: "p.OC", PARTS: 4 };
  return { values: { VEC4, BIAS, RELU, ...y }, parts };
}
