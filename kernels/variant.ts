/**
 * Who computes a sum: each lane one of its own, or a workgroup together.
 *
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";

/** `lane`: one invocation, without barriers; `group`: a workgroup, through shared memory. */
export type Variant = "lane" | "group";

let forced: Variant | undefined;

/** Makes every kernel that has both use this one, for tests; undefined ends it. */
export function forceVariant(variant: Variant | undefined): void {
  forced = variant;
}

/** A barrier costs the software device more than all it could save; a GPU wants many lanes busy. */
export function variant(): Variant {
  return forced ?? (deviceInfo().software ? "lane" : "group");
}
