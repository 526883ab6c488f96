import wgsl from "./registers.wgsl" with { type: "text" };
import { sections } from "../../gpu/wgsl.ts";

/** Multiplies tiles in float32, on any device. */
export const REGISTERS = sections("multiply", { name: "registers.wgsl", text: wgsl });
