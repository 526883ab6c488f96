import { assertEquals, assertThrows } from "@std/assert";
import { type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { randoms } from "../tests/support.ts";

import { concat, pad, permute, slice } from "./slice.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** The index along each axis of the element at a place of a tensor, and back. */
function indexOf(place: number, shape: Shape): number[] {
  const index = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = place % shape[axis];
    place = Math.floor(place / shape[axis]);
  }
  return index;
}
function placeOf(index: number[], shape: Shape): number {
  return index.reduce((place, i, axis) => place * shape[axis] + i, 0);
}
/** Every element of a tensor computed from its index. */
function build(shape: Shape, at: (index: number[]) => number): number[] {
  return Array.from({ length: sizeOf(shape) }, (_, place) => at(indexOf(place, shape)));
}
function withSize(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => i === axis ? size : old);
}
function moved(index: number[], axis: number, by: number): number[] {
  return index.map((i, a) => a === axis ? i + by : i);
}

const slices: [Shape, number, number, number][] = [
  [[1], 0, 0, 1],
  [[7], 0, 2, 3],
  [[7], 0, 0, 7],
  [[3, 5], 0, 2, 1],
  [[3, 5], 1, 1, 4],
  [[2, 3, 5], 1, 1, 2],
  [[2, 3, 4], 1, 0, 2], // four at a time
  [[2, 5, 2, 4], 1, 2, 3],
  [[2, 2, 3, 5], 3, 4, 1],
  [[66], 0, 1, 64], // a workgroup
  [[2, 66], 1, 1, 65], // more
];
for (const [shape, axis, start, length] of slices) {
  const after = shape[axis] - start - length, part = withSize(shape, axis, length);
  Deno.test(`slice() of [${shape}], ${length} from ${start} along ${axis}`, () =>
    checkOp(
      (x) => slice(x, axis, start, length),
      (x) => build(part, (index) => x[placeOf(moved(index, axis, start), shape)]),
      [shape],
      { second: sizeOf(shape) < 50 },
    ));
  Deno.test(`pad() of [${part}], ${start} before and ${after} after along ${axis}`, () =>
    checkOp(
      (x) => pad(x, axis, start, after),
      (x) =>
        build(shape, (index) => {
          const from = moved(index, axis, -start);
          return from[axis] < 0 || from[axis] >= length ? 0 : x[placeOf(from, part)];
        }),
      [part],
      { second: sizeOf(part) < 50 },
    ));
}

const joined: [Shape[], number][] = [
  [[[1]], 0],
  [[[2], [3]], 0],
  [[[2, 3], [1, 3], [4, 3]], 0],
  [[[2, 3], [2, 1], [2, 5]], 1],
  [[[2, 2, 4], [2, 1, 4]], 1],
  [[[2, 3, 3, 4], [2, 3, 3, 1]], 3],
  [[[64], [1], [65]], 0],
];
for (const [shapes, axis] of joined) {
  Deno.test(`concat() of ${shapes.map((shape) => `[${shape}]`)} along ${axis}`, () =>
    checkOp(
      (...xs) => concat(xs, axis),
      (...xs) => {
        const total = shapes.reduce((n, shape) => n + shape[axis], 0);
        return build(withSize(shapes[0], axis, total), (index) => {
          let which = 0;
          for (; index[axis] >= shapes[which][axis]; which++) {
            index = moved(index, axis, -shapes[which][axis]);
          }
          return xs[which][placeOf(index, shapes[which])];
        });
      },
      shapes,
      { second: shapes.every((shape) => sizeOf(shape) < 50) },
    ));
}
Deno.test("concat() of a tensor with itself adds up both gradients", () =>
  checkOp((x) => concat([x, x], 0), (x) => [...x, ...x], [[3, 2]], { second: true }));

const orders: [Shape, number[]][] = [
  [[1], [0]],
  [[7], [0]],
  [[3, 5], [1, 0]],
  [[3, 5], [0, 1]],
  [[2, 3, 5], [2, 0, 1]],
  [[2, 3, 4], [1, 0, 2]], // four at a time
  [[2, 3, 2, 5], [0, 3, 1, 2]], // NHWC to NCHW
  [[2, 3, 2, 4], [0, 2, 3, 1]], // and back
  [[2, 3, 1, 2, 3], [4, 2, 0, 3, 1]],
  [[2, 3, 2, 3, 2], [3, 1, 4, 0, 2]],
  [[2, 3, 2, 2, 4], [3, 1, 0, 2, 4]],
  [[8, 8], [1, 0]],
  [[5, 13], [1, 0]],
];
for (const [shape, axes] of orders) {
  const to = axes.map((axis) => shape[axis]);
  Deno.test(`permute() of [${shape}] to ${axes}`, () =>
    checkOp(
      (x) => permute(x, axes),
      (x) =>
        build(to, (index) => x[placeOf(shape.map((_, axis) => index[axes.indexOf(axis)]), shape)]),
      [shape],
      { second: sizeOf(shape) < 50 },
    ));
}
Deno.test("permute() of a large tensor and back changes nothing", async () => {
  const x = randoms(17 * 31 * 67 * 3, 5);
  const y = permute(tensor(x, [17, 31, 67, 3]), [0, 3, 1, 2]);
  assertEquals([...await permute(y, [0, 2, 3, 1]).read()], x);
});

Deno.test("what does not fit is refused", () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]), y = tensor([1, 2], [1, 2]);
  assertThrows(() => slice(x, 2, 0, 1), RangeError, "[2,3] has no axis 2");
  assertThrows(() => slice(x, 1, 2, 2), RangeError, "start 2, length 2 of axis 1 of [2,3]");
  assertThrows(() => slice(x, 1, 0, 0), RangeError, "length 0");
  assertThrows(() => pad(x, 1, -1, 0), RangeError, "start -1");
  assertThrows(() => pad(x, 1, 0, -1), RangeError, "-1 zeros");
  assertThrows(() => concat([], 0), RangeError, "no tensors");
  assertThrows(() => concat([x, y], 0), RangeError, "along axis 0: [2,3],[1,2]");
  assertThrows(() => permute(x, [0, 0]), RangeError, "axes [0,0] for shape [2,3]");
});
