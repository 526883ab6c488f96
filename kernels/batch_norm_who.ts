/**
 * Who serves which rows and channels of batch_norm.wgsl: text to go behind it, for {@linkcode Variant}s.
 *
 * @module
 */
import type { Variant } from "./variant.ts";

/** Columns of channels that a workgroup serves where its lanes work together, and lanes for each. */
export const COLUMNS = 16, LANES = 16;

/** Declares `Place`, `place`, `whole`, `SIZE` and `LANES`. */
export const who: Readonly<Record<Variant, string>> = {
  lane: /* wgsl */ `
// Each chunk of rows is one invocation's; neighbours read neighbouring addresses. No barriers.
const SIZE = 64;
const LANES = 1u; // of a chunk
struct Place { c: u32, chunk: u32, lane: u32, row: u32, live: bool, writes: bool }

fn place(id: vec3u, groups: vec3u, l: u32) -> Place {
  let i = (id.y * groups.x + id.x) * 64u + l;
  let chunk = i / p.C;
  let live = chunk < p.step;
  return Place(i % p.C, chunk, 0, select(p.rows, chunk, live), live, live);
}

fn whole(own: Sums, at: Place) -> Sums { return own; }
`,
  group: /* wgsl */ `
// Each chunk of rows is a workgroup's: ${LANES} lanes for each of ${COLUMNS} columns, which add up together.
const SIZE = ${COLUMNS * LANES};
const LANES = ${LANES}u; // of a chunk
struct Place { l: u32, c: u32, chunk: u32, lane: u32, row: u32, live: bool, writes: bool }
var<workgroup> ones: array<V, SIZE>;
var<workgroup> twos: array<V, SIZE>;

fn place(id: vec3u, groups: vec3u, l: u32) -> Place {
  let c = id.x * ${COLUMNS} + l % ${COLUMNS};
  let lane = l / ${COLUMNS};
  let live = c < p.C;
  return Place(l, min(c, p.C - 1), id.y, lane, id.y * LANES + lane, live, live && lane == 0);
}

fn whole(own: Sums, at: Place) -> Sums {
  let l = at.l;
  workgroupBarrier(); // what was here before is read
  ones[l] = own.one;
  twos[l] = own.two;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (at.lane < half) {
      ones[l] += ones[l + ${COLUMNS} * half];
      twos[l] += twos[l + ${COLUMNS} * half];
    }
  }
  workgroupBarrier();
  return Sums(ones[l % ${COLUMNS}], twos[l % ${COLUMNS}]);
}
`,
};
