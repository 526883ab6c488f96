/**
 * Slices, concatenation, zero padding, permutation of axes.
 *
 * @module
 */
import wgsl from "./slice.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import { type Shape, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";

const ENTRIES = ["slice", "place", "pad", "permute"] as const;
type Entry = typeof ENTRIES[number];
const kernels = byElement("slice", wgsl, ENTRIES);

/** A tensor seen as rows, each from one index of an axis before the next to the same of the next. */
interface Part {
  /** The length of a row. */
  readonly whole: number;
  /** The length of the part of a row, and where it begins. */
  readonly part: number;
  readonly start: number;
}

const NO_ROWS = { whole: 1, part: 1, start: 0 };
const NO_AXES = { d0: 1, d1: 1, d2: 1, d3: 1, s0: 0, s1: 0, s2: 0, s3: 0, s4: 0 };

function dispatch(
  entry: "slice" | "place" | "pad",
  source: Tensor,
  result: Tensor,
  p: Part,
): void {
  const wide = p.whole % 4 === 0 && p.part % 4 === 0 && p.start % 4 === 0, k = wide ? 4 : 1;
  const row = { whole: p.whole / k, part: p.part / k, start: p.start / k };
  const kernel = kernels[wide ? "vec4f" : "f32"][entry];
  const n = (entry === "place" ? source : result).size / k;
  run(kernel, { source, result }, { ...NO_AXES, n, ...row }, folded(Math.ceil(n / 64)));
}

/** `length` indices from `start` on along an axis of a tensor. */
function partOf(op: string, shape: Shape, axis: number, start: number, length: number): Part {
  if (!(axis in shape)) throw new RangeError(`${op}: [${shape}] has no axis ${axis}`);
  const fits = start >= 0 && length > 0 && start + length <= shape[axis];
  if (!(Number.isInteger(start) && Number.isInteger(length) && fits)) {
    throw new RangeError(
      `${op}: got start ${start}, length ${length} of axis ${axis} of [${shape}]`,
    );
  }
  const inner = sizeOf(shape.slice(axis + 1));
  return { whole: shape[axis] * inner, part: length * inner, start: start * inner };
}

function resized(shape: Shape, axis: number, size: number): Shape {
  return shape.map((old, i) => i === axis ? size : old);
}

/**
 * The elements `start` to `start + length - 1` along an axis.
 *
 * @returns The shape of `x`, but for `length` at `axis`.
 * @throws {RangeError} If `x` has no such axis or elements.
 */
export function slice(x: Tensor, axis: number, start: number, length: number): Tensor {
  const part = partOf("slice", x.shape, axis, start, length);
  return apply({
    op: "slice",
    inputs: [x],
    shape: resized(x.shape, axis, length),
    forward: (y) => dispatch("slice", x, y, part),
    backward: (dy) => [pad(dy, axis, start, x.shape[axis] - start - length)],
  });
}

/**
 * Zeros before and after the elements of an axis: the adjoint of {@linkcode slice}.
 *
 * @returns The shape of `x`, but for `before + size + after` at `axis`.
 * @throws {RangeError} If `x` has no such axis, or a number of zeros is negative.
 */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  if (!(Number.isInteger(after) && after >= 0)) {
    throw new RangeError(`pad: got ${after} zeros after [${x.shape}]`);
  }
  const size = x.shape[axis], shape = resized(x.shape, axis, before + size + after);
  const part = partOf("pad", shape, axis, before, size);
  return apply({
    op: "pad",
    inputs: [x],
    shape,
    forward: (y) => dispatch("pad", x, y, part),
    backward: (dy) => [slice(dy, axis, before, size)],
  });
}

/**
 * Tensors one after the other along an axis.
 *
 * @param xs Of the same shape but for their sizes at `axis`.
 * @throws {RangeError} If there are none, or their shapes do not fit.
 */
export function concat(xs: readonly Tensor[], axis: number): Tensor {
  if (xs.length === 0) throw new RangeError("concat: got no tensors");
  for (const x of xs) {
    const like = resized(x.shape, axis, xs[0].shape[axis]);
    if (!(axis in x.shape) || String(like) !== String(xs[0].shape)) {
      throw new RangeError(
        `concat: shapes do not fit along axis ${axis}: ${xs.map(({ shape }) => `[${shape}]`)}`,
      );
    }
  }
  const shape = resized(xs[0].shape, axis, xs.reduce((n, x) => n + x.shape[axis], 0));
  let end = 0;
  const starts = xs.map((x) => (end += x.shape[axis]) - x.shape[axis]);
  return apply({
    op: "concat",
    inputs: xs,
    shape,
    forward: (y) =>
      xs.forEach((x, i) =>
        dispatch("place", x, y, partOf("concat", shape, axis, starts[i], x.shape[axis]))
      ),
    backward: (dy, _, need) =>
      xs.map((x, i) => need[i] ? slice(dy, axis, starts[i], x.shape[axis]) : null),
  });
}

/**
 * What `body` makes of each of `n` parts of `x` along its first axis, joined again.
 *
 * @throws {RangeError} If the parts are not of one size.
 */
export function eachOf(n: number, x: Tensor, body: (part: Tensor) => Tensor): Tensor {
  if (n === 1) return body(x);
  return concat(split(n, x).map(body), 0);
}

/**
 * The parts of `x` along its first axis.
 *
 * @throws {RangeError} If they are not of one size.
 */
export function split(n: number, x: Tensor): Tensor[] {
  const size = x.shape[0] / n;
  return Array.from({ length: n }, (_, i) => slice(x, 0, i * size, size));
}

/**
 * Another order of axes: axis `i` of the result is axis `axes[i]` of `x`.
 *
 * @param x Of at most five axes.
 * @throws {RangeError} If `axes` does not name each axis of `x` once, or there are more than five.
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const rank = x.shape.length;
  if (
    rank > 5 || axes.length !== rank || new Set(axes).size !== rank ||
    !axes.every((axis) => axis in x.shape)
  ) throw new RangeError(`permute: got axes [${axes}] for shape [${x.shape}]`);
  return apply({
    op: "permute",
    inputs: [x],
    shape: axes.map((axis) => x.shape[axis]),
    forward: (y) => permuteInto(y, x, axes),
    backward: (dy) => [permute(dy, axes.map((_, axis) => axes.indexOf(axis)))],
  });
}

function permuteInto(y: Tensor, x: Tensor, axes: readonly number[]): void {
  const runs: { size: number; stride: number }[] = [];
  for (const axis of axes) {
    const size = x.shape[axis], stride = sizeOf(x.shape.slice(axis + 1)), last = runs.at(-1);
    // Axes that stay adjacent are merged, which saves divisions.
    if (size === 1) continue;
    else if (last && last.stride === stride * size) {
      last.size *= size;
      last.stride = stride;
    } else runs.push({ size, stride });
  }
  const inner = runs.at(-1) ?? { size: 1, stride: 1 }, AXES = Math.max(1, runs.length);
  const wide = inner.stride === 1 && inner.size % 4 === 0, k = wide ? 4 : 1, n = y.size / k;
  const sizes = runs.map((run) => run === inner ? run.size / k : run.size).reverse();
  const strides = runs.map((run) => run === inner ? run.stride : run.stride / k).reverse();
  const [d0 = 1, d1 = 1, d2 = 1, d3 = 1] = sizes,
    [s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0] = strides;
  run(
    kernels[wide ? "vec4f" : "f32"].permute,
    { source: x, result: y },
    { ...NO_ROWS, n, d0, d1, d2, d3, s0, s1, s2, s3, s4 },
    folded(Math.ceil(n / 64)),
    { AXES },
  );
}
