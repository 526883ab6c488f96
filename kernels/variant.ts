/**
 * Who computes a sum: each lane one of its own, or a workgroup together.
 *
 * @module
 */
import { gpu } from "../gpu/gpu.ts";

/** `lane`: one invocation, without barriers; `group`: a workgroup, through shared memory. */
export type Variant = "lane" | "group";

/** What tests force on a device. */
class Forced {
  variant?: Variant | undefined;
}

/** Makes every kernel that has both use this one, for tests; undefined ends it. */
export function forceVariant(variant: Variant | undefined): void {
  gpu().of(Forced).variant = variant;
}

/** A barrier costs the software device more than all it could save; a GPU wants many lanes busy. */
export function variant(): Variant {
  return gpu().of(Forced).variant ?? (gpu().info.software ? "lane" : "group");
}
