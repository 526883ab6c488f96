/**
 * Who computes a row, as a part of a kernel's source: `#include row` declares `row_of`, `lane_of`, `sum_row`
 * and `max_row` for a workgroup of `LANES` a row (`GROUP`), or one invocation.
 *
 * @module
 */
import { ACROSS } from "./across.ts";
import row from "./row.wgsl" with { type: "text" };

/** The part, for `expand`, with the one that it includes. */
export const ROW = { ...ACROSS, row: { name: "row.wgsl", text: row } };
