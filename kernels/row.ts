/**
 * Reductions as parts of kernels' source: `#include across` declares `sum_across` and `max_across` over a
 * workgroup of `LANES`, `#include row` who computes a row, an invocation or a workgroup.
 *
 * @module
 */
import across from "./across.wgsl" with { type: "text" };
import row from "./row.wgsl" with { type: "text" };

/** The parts, for `expand`. */
export const ROW = {
  across: { name: "across.wgsl", text: across },
  row: { name: "row.wgsl", text: row },
};
