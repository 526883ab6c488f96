/**
 * Reductions over a workgroup as a part of a kernel's source: `#include across` declares `sum_across` and
 * `max_across` for a workgroup of `LANES`.
 *
 * @module
 */
import across from "./across.wgsl" with { type: "text" };

/** The part, for `expand`. */
export const ACROSS = { across: { name: "across.wgsl", text: across } };
