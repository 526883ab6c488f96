/**
 * Sums over axes and their adjoint, repetition.
 *
 * @module
 */
import wgsl from "./reduce.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply, reshape } from "../tensor/op.ts";
import { empty, sameShape, type Shape, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";
import { variant } from "./variant.ts";

const kernels = byElement("reduce", wgsl, ["sum", "sumGroup", "repeat"]);

/** The kernels for rows of `B` numbers, and how many of their values make such a row. */
function by(B: number) {
  return B % 4 === 0
    ? { kernels: kernels.vec4f, columns: B / 4 }
    : { kernels: kernels.f32, columns: B };
}

/**
 * The sum over some axes, which disappear.
 *
 * @param axes By default all; the result then has shape `[1]`.
 */
export function sum(x: Tensor, axes?: readonly number[]): Tensor {
  return scaledSum(x, axes, 1);
}

/** The mean over some axes, which disappear; by default over all, of shape `[1]`. */
export function mean(x: Tensor, axes?: readonly number[]): Tensor {
  const count = axes ? axes.reduce((n, axis) => n * x.shape[axis], 1) : x.size;
  return scaledSum(x, axes, 1 / count);
}

function scaledSum(x: Tensor, axes: readonly number[] | undefined, k: number): Tensor {
  const over = new Set(axes ?? x.shape.keys());
  for (const axis of over) {
    if (!(axis in x.shape)) throw new RangeError(`sum: [${x.shape}] has no axis ${axis}`);
  }
  const kept = x.shape.map((size, axis) => over.has(axis) ? 1 : size);
  const shape = x.shape.filter((_, axis) => !over.has(axis));
  return reshape(sumTo(x, kept, k), shape.length ? shape : [1]);
}

/** Sums `x` down to `shape`, over the axes that {@linkcode broadcastTo} would repeat; times `k`. */
export function sumTo(x: Tensor, shape: Shape, k = 1): Tensor {
  const runs = repeats("sumTo", shape, x.shape);
  if (runs.length === 0) return reshape(k === 1 ? x : middleSum(x, [x.size, 1, 1], k), shape);
  // From the last run to the first, so that the earlier ones keep their place.
  for (const [i, [A, R, B]] of [...runs.entries()].reverse()) {
    x = middleSum(x, [A, R, B], i === 0 ? k : 1);
  }
  return reshape(x, shape);
}

/** Repeats `x` up to `shape`, as NumPy does: axes are aligned from the last, sizes of 1 grow. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const runs = repeats("broadcastTo", x.shape, shape);
  for (const [A, R, B] of runs) x = repeat(x, [A, R, B], 1);
  return reshape(x, shape);
}

/** The shape of an elementwise op of two shapes. */
export function broadcastShape(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const sa = a[a.length - rank + i] ?? 1, sb = b[b.length - rank + i] ?? 1;
    if (sa !== sb && sa !== 1 && sb !== 1) {
      throw new RangeError(`${op}: shapes do not fit: a is [${a}], b is [${b}]`);
    }
    return Math.max(sa, sb);
  });
}

/**
 * How to get from `from` to `to` by repetitions `[A, B] -> [A, R, B]`, first to last: neighbouring
 * axes that grow are one repetition.
 */
function repeats(op: string, from: Shape, to: Shape): [number, number, number][] {
  const small = [...Array(Math.max(0, to.length - from.length)).fill(1), ...from];
  if (small.length !== to.length || small.some((size, i) => size !== to[i] && size !== 1)) {
    throw new RangeError(`${op}: [${from}] cannot be repeated to [${to}]`);
  }
  const runs: [number, number, number][] = [];
  let open = false;
  for (let i = 0; i < to.length; i++) {
    const grows = small[i] !== to[i];
    if (grows && open) runs[runs.length - 1][1] *= to[i];
    else if (grows) runs.push([sizeOf(to.slice(0, i)), to[i], 1]);
    // What follows a run has its old size when the run is made, and comes after later runs.
    if (!grows) { for (const run of runs) run[2] *= to[i]; }
    open = grows || (open && to[i] === 1);
  }
  return runs;
}

type View = readonly [A: number, R: number, B: number];

/** `[A, R, B] -> [A, B]`, times `k`. */
function middleSum(x: Tensor, [A, R, B]: View, k: number): Tensor {
  return apply({
    op: "sum",
    inputs: [x],
    shape: [A, B],
    forward: (y) => sumInto(y, x, [A, R, B], k),
    backward: (dy) => [reshape(repeat(dy, [A, R, B], k), x.shape)],
  });
}

/** `[A, B] -> [A, R, B]`, times `k`. */
function repeat(x: Tensor, [A, R, B]: View, k: number): Tensor {
  const { kernels, columns } = by(B);
  return apply({
    op: "repeat",
    inputs: [x],
    shape: [A, R, B],
    forward: (y) =>
      run(
        kernels.repeat,
        { x, y },
        { A, R, B: columns, chunks: 1, k, wide: 1 },
        folded(Math.ceil(A * R * columns / 64)),
      ),
    backward: (dy) => [reshape(middleSum(dy, [A, R, B], k), x.shape)],
  });
}

/** Sums `x` as `[A, R, B]` over `R` into `y`: in two rounds where one loop would be long or lanes idle. */
export function sumInto(y: Tensor, x: Tensor, [A, R, B]: View, k = 1): void {
  const { kernels, columns } = by(B);
  // For many short sums a lane each is as fast.
  if (variant() === "group" && R > 8 && A * columns < 32_768) {
    return sumTogether(y, x, [A, R, B], k);
  }
  const chunks = chunksOf([A, R, columns]);
  const pass = (x: Tensor, y: Tensor, R: number, chunks: number, k: number) =>
    run(
      kernels.sum,
      { x, y },
      { A, R, B: columns, chunks, k, wide: 1 },
      folded(Math.ceil(A * chunks * columns / 64)),
    );
  if (chunks === 1) return pass(x, y, R, 1, k);
  const partial = empty([A, chunks, B]);
  pass(x, partial, R, chunks, 1);
  if (chunks > 1024) sumInto(y, partial, [A, chunks, B], k);
  else pass(partial, y, chunks, 1, k);
}

const GROUP = 256; // lanes
const LONGEST = 32; // terms a lane of the last round

/**
 * How workgroups sum R terms: `wide` lanes of each side by side along B, so that `groups` of them see
 * every sum, and each of `chunks` times as many a part of its terms.
 */
export function workgroupsOf([A, R, B]: View): { wide: number; groups: number; chunks: number } {
  const wide = 2 ** Math.min(4, Math.ceil(Math.log2(B)));
  const groups = A * Math.ceil(B / wide), terms = R * wide / GROUP;
  // A lane should have some terms to add, and the device some hundred workgroups; one more round sums the
  // parts.
  const most = Math.min(Math.ceil(1024 / groups), LONGEST * GROUP / wide);
  const chunks = terms <= LONGEST ? 1 : Math.min(Math.ceil(terms / 8), most);
  return { wide, groups, chunks };
}

function sumTogether(y: Tensor, x: Tensor, [A, R, B]: View, k: number): void {
  const { kernels, columns } = by(B), { wide, groups, chunks } = workgroupsOf([A, R, columns]);
  const to = chunks === 1 ? y : empty([A, chunks, B]);
  run(
    kernels.sumGroup,
    { x, y: to },
    { A, R, B: columns, chunks, k: chunks === 1 ? k : 1, wide },
    folded(groups * chunks),
  );
  if (chunks > 1) sumInto(y, to, [A, chunks, B], k);
}

/**
 * In how many parts to sum R terms: enough invocations to fill a GPU, no loop of more than 4096
 * terms (a long float32 sum loses digits, and the software device ends loops at 65,535).
 */
export function chunksOf([A, R, B]: View): number {
  if (R <= 64) return 1;
  const fill = Math.ceil(16_384 / (A * B));
  return Math.max(Math.min(fill, Math.ceil(Math.sqrt(R))), Math.ceil(R / 4096));
}
