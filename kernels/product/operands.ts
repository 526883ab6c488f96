import wgsl from "./operands.wgsl" with { type: "text" };
import { type File, sections } from "../../gpu/wgsl.ts";
import type { Plan } from "../plan.ts";

const parts = sections("operands", { name: "operands.wgsl", text: wgsl });

/** The part `operands` of a plan, and its values. */
export function operands({ load, precision }: Plan) {
  const HALF = precision === "f16";
  return {
    values: { HALF, FORMAT: HALF ? "rgba16float" : "rgba32float" },
    parts: { ...parts, operands: parts[`operands.${load}`] } as Record<string, File>,
  };
}
