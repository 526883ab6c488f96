import wgsl from "./window.wgsl" with { type: "text" };
import { sections } from "../../gpu/wgsl.ts";

/** The part that all gathers share. */
export const WINDOW = sections("window", { name: "window.wgsl", text: wgsl });
