/**
 * Reduction strategies: one invocation a sum, or one workgroup a sum.
 *
 * @module
 */
import { gpu } from "../gpu/gpu.ts";

/** `lane`: one invocation, without barriers; `group`: a workgroup, through shared memory. */
export type Variant = "lane" | "group";

/** The strategy that tests force on a device. */
class Forced {
  variant?: Variant | undefined;
}

/** Makes every kernel that has both use this one, for tests; undefined ends it. */
export function forceVariant(variant: Variant | undefined): void {
  gpu().of(Forced).variant = variant;
}

/** On the software device a barrier costs more than it saves; a GPU wants many busy lanes. */
export function variant(): Variant {
  return gpu().of(Forced).variant ?? (gpu().info.software ? "lane" : "group");
}
