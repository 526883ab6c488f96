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

/** Parts that finish sums, and their values; with `SINGLES` each sum is of one column, else of four. */
export function finishing(finish: Finish, SINGLES: boolean) {
  const { vec4: VEC4, bias: BIAS = false, relu: RELU = false } = finish;
  const SUM = SINGLES ? "f32" : "vec4f", Y = VEC4 ? SUM : "f32";
  return { values: { SINGLES, VEC4, BIAS, RELU, SUM, Y }, parts };
}
