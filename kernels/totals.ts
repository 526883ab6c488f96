import wgsl from "./totals.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { isRecording } from "../tensor/op.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { add } from "./elementwise.ts";

const one = kernel("totals", wgsl, "one"), two = kernel("totals", wgsl, "two");

/**
 * The sum of each list of tensors of one shape, two lists a dispatch: it accumulates gradients of several
 * uses. A list of one is its sum. Recorded for a gradient, it is made of additions.
 *
 * @param lists None is empty.
 */
export function totals(lists: readonly (readonly Tensor[])[]): Tensor[] {
  if (isRecording()) return lists.map((list) => list.reduce(add));
  const sums = lists.map(([first]) => first);
  // The first three of each list become one, until nothing is left to add.
  for (let rest = lists.map((list) => list.slice(1)); rest.some(({ length }) => length);) {
    const due = [...rest.keys()].filter((i) => rest[i].length);
    for (let k = 0; k < due.length; k += 2) {
      const made = due.slice(k, k + 2).map((i) => [sums[i], ...rest[i].slice(0, 2)]);
      sumInto(made).forEach((y, j) => sums[due[k + j]] = y);
    }
    rest = rest.map((list) => list.slice(2));
  }
  return sums;
}

/** One or two sums of two or three tensors. */
function sumInto([a, b]: readonly (readonly Tensor[])[]): Tensor[] {
  const y = empty(a[0].shape), n = Math.ceil(y.size / 4), groups = Math.ceil(n / 64);
  const first = { a0: a[0], a1: a[1], a2: a[2] ?? a[0], y };
  if (!b) {
    run(one, first, { n, begin: 0, m: 0 }, folded(groups), { A: a.length });
    return [y];
  }
  const z = empty(b[0].shape), m = Math.ceil(z.size / 4);
  const params = { n, begin: 64 * groups, m }, grid = folded(groups + Math.ceil(m / 64));
  const second = { b0: b[0], b1: b[1], b2: b[2] ?? b[0], z };
  run(two, { ...first, ...second }, params, grid, { A: a.length, B: b.length });
  return [y, z];
}
