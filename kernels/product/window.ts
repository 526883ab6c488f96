import wgsl from "./window.wgsl" with { type: "text" };
import { sections } from "../../gpu/wgsl.ts";

/** What all gathers share. */
export const WINDOW = sections("window", { name: "window.wgsl", text: wgsl });
