/**
 * Power iteration towards the largest singular values of many weights at once.
 *
 * @module
 */
import wgsl from "./power_iteration.wgsl" with { type: "text" };
import { write } from "../gpu/copy.ts";
import { bindable, part, type Storage, storage } from "../gpu/memory.ts";
import { folded, type Grid } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { type Shape, sizeOf } from "../tensor/tensor.ts";
import { twinsByElement } from "./element.ts";

const kernels = twinsByElement("power_iteration", wgsl, [
  "columnsOfRowsLast",
  "rowsOfRowsLast",
  "columnsOfColumnsLast",
  "rowsOfColumnsLast",
  "divide",
  "normalise",
  "measure",
], { LANES: 64 });

/** A part of a buffer. */
export interface Place {
  /** The whole buffer. */
  readonly whole: Storage;
  /** Where the part begins, in bytes. */
  readonly offset: number;
}

/** A weight `[..., R, ...]` with its singular vectors `u [R]` and `v` (the other axes). */
export interface SpectralMatrix {
  readonly w: Place;
  readonly u: Place;
  readonly v: Place;
  /** Of the weight. */
  readonly shape: Shape;
  /** Which of its axes are the outputs: the rows of the matrix. */
  readonly axis: number;
}

/** A weight seen as `[A, R, B]`, the outputs along `R`. */
export function asMatrix(shape: Shape, axis: number): Record<"A" | "R" | "B", number> {
  return { A: sizeOf(shape.slice(0, axis)), R: shape[axis], B: sizeOf(shape.slice(axis + 1)) };
}

/** How the kernels see a weight: where its last axis lies, and in how many numbers at a time. */
export interface View {
  readonly A: number;
  readonly R: number;
  readonly B: number;
  /** Whether B is 1: rows of the matrix are next to each other. */
  readonly rowsLast: boolean;
  /** 4 where that divides the last axis, else 1. */
  readonly wide: 1 | 4;
}

/** The view of a weight with the outputs along `axis`. */
export function viewOf(shape: Shape, axis: number): View {
  let { A, R, B } = asMatrix(shape, axis);
  if (R === 1 && B === 1) [A, B] = [1, A]; // one row: its columns are next to each other
  const rowsLast = B === 1;
  return { A, R, B, rowsLast, wide: (rowsLast ? R : B) % 4 === 0 ? 4 : 1 };
}

/** Sizes as the kernels count them. */
export function sizesOf({ A, R, B, rowsLast, wide }: View): Record<"A" | "R" | "B", number> {
  return rowsLast ? { A, R: R / wide, B } : { A, R, B: B / wide };
}

/** Matrices of one kind in the same two buffers, or in as much as can be bound: one dispatch computes all. */
export interface SpectralGroup {
  readonly view: Pick<View, "rowsLast" | "wide">;
  /** Tables in units of V, and in single numbers. */
  readonly table: Storage;
  readonly single: Storage;
  /** The range that each workgroup of `grid` divides. */
  readonly ranges: Storage;
  readonly grid: Grid;
  /** The buffer of the weights, or the part of it from byte `from` on that holds these. */
  readonly w: Storage;
  readonly from: number;
  /** The buffer of all u and v. */
  readonly vectors: Storage;
  /** Indices into the list that the groups were made of. */
  readonly members: readonly number[];
  /** `|W v|` of each, 256 bytes apart. */
  readonly sigmas: Storage;
  /** Numbers of partial sums, and the most invocations that a matrix needs. */
  readonly partial: number;
  readonly most: Readonly<Record<"columns" | "rows", number>>;
}

const CHUNK = 256; // columns or so that one invocation sums over
const APART = 64; // numbers from one sigma to the next, so that each can be bound

type Viewed = SpectralMatrix & { readonly index: number; readonly view: View };

/**
 * Sorts matrices into groups and uploads their tables, which are never released.
 *
 * @throws {RangeError} If a `u` and its `v` do not lie in one buffer: none may be bound twice to be written.
 */
export function spectralGroups(matrices: readonly SpectralMatrix[]): SpectralGroup[] {
  if (matrices.some(({ u, v }) => u.whole !== v.whole)) {
    throw new RangeError("spectralGroups: u and v lie in different buffers, expected one");
  }
  const viewed = matrices.map((matrix, index) => ({
    ...matrix,
    index,
    view: viewOf(matrix.shape, matrix.axis),
  }));
  const byKind = Map.groupBy(
    viewed,
    ({ w, u, view }) => [w.whole.id, u.whole.id, view.rowsLast, view.wide].join(),
  );
  return [...byKind.values()].flatMap(bound).map(({ own, w, from }) => {
    let partial = 0, columns = 0, rows = 0;
    const [{ u, view }] = own, { rowsLast, wide } = view;
    // Sizes along the last axis count vec4s.
    const kr = rowsLast ? wide : 1, kc = rowsLast ? 1 : wide;
    const tables = own.map(({ w, u, v, view }) => {
      const { A, R, B } = sizesOf(view), long = rowsLast ? A : B, begin = partial;
      const chunks = Math.min(long, Math.ceil(view.A * view.B / CHUNK));
      partial += chunks * view.R;
      columns = Math.max(columns, A * B);
      rows = Math.max(rows, chunks * R);
      const at = [(w.offset - from) / 4 / wide, u.offset / 4 / kr, v.offset / 4 / kc];
      return {
        counted: [...at, A, R, B, chunks, begin / kr],
        single: [0, u.offset / 4, v.offset / 4, view.A, view.R, view.B, chunks, begin],
      };
    });
    const ranges = tables.flatMap(({ counted: [begin, , , A, R, B] }, matrix) => {
      const end = begin + A * R * B, count = Math.ceil((end - begin) / 64);
      return Array.from({ length: count }, (_, i) => [matrix, begin + 64 * i, end]);
    });
    const grid = folded(ranges.length);
    return {
      view: { rowsLast, wide },
      ranges: uploaded(ranges.flat()),
      grid,
      table: uploaded(tables.flatMap(({ counted }) => counted)),
      single: uploaded(tables.flatMap(({ single }) => single)),
      w,
      from,
      vectors: u.whole,
      members: own.map(({ index }) => index),
      sigmas: storage(4 * APART * own.length),
      partial,
      most: { columns, rows },
    };
  });
}

/** Matrices of one kind with the buffer of their weights, or in turn with parts of it that can be bound. */
function bound(all: readonly Viewed[]): { own: Viewed[]; w: Storage; from: number }[] {
  const { whole } = all[0].w, endOf = ({ w, shape }: Viewed) => w.offset + 4 * sizeOf(shape);
  if (whole.size <= bindable()) return [{ own: [...all], w: whole, from: 0 }];
  const runs: Viewed[][] = [];
  for (const matrix of all.toSorted((a, b) => a.w.offset - b.w.offset)) {
    const run = runs.at(-1);
    if (run && endOf(matrix) - run[0].w.offset <= bindable()) run.push(matrix);
    else runs.push([matrix]);
  }
  return runs.map((own) => {
    const from = own[0].w.offset;
    return { own, w: part(whole, from, endOf(own.at(-1)!) - from), from };
  });
}

function uploaded(values: number[]): Storage {
  const bytes = Uint32Array.from(values), made = storage(bytes.byteLength);
  write(made, bytes);
  return part(made, 0, bytes.byteLength);
}

/**
 * One iteration for each matrix of a group, in three dispatches and in place: `v = W^T u / |W^T u|`,
 * then `u = W v / |W v|`.
 *
 * @see Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1
 */
export function powerIteration(group: SpectralGroup): void {
  const { table, single, w, vectors, members, sigmas, partial, most } = group;
  const own = kernelsOf(group), sums = storage(4 * partial), grid = gridOf(members, most.rows);
  const product = transposed(group);
  if (group.view.rowsLast) run(own.rowsOfRowsLast, { table, w, product, partialV: sums }, {}, grid);
  else run(own.rowsOfColumnsLast, { table, w, productV: product, partial: sums }, {}, grid);
  const bound = { table: single, vectors, product, partial: sums, sigma: sigmas };
  run(kernels.f32.normalise, bound, {}, [1, members.length, 1]);
}

/** `sigma = u^T W v` of each matrix of a group, in two dispatches: for weights that have changed. */
export function measureSigmas(group: SpectralGroup): void {
  const { single, vectors, members, sigmas } = group, product = transposed(group);
  const bound = { table: single, vectors, product, sigma: sigmas };
  run(kernels.f32.measure, bound, {}, [1, members.length, 1]);
}

/** `W^T u`, laid out as the vectors are. */
function transposed(group: SpectralGroup): Storage {
  const { table, w, vectors, members, most, view } = group, own = kernelsOf(group);
  const grid = gridOf(members, most.columns), made = storage(vectors.size);
  if (view.rowsLast) run(own.columnsOfRowsLast, { table, w, uV: vectors, made }, {}, grid);
  else run(own.columnsOfColumnsLast, { table, w, u: vectors, madeV: made }, {}, grid);
  return made;
}

/** Fills `quotient`, laid out as the group's `w`, with `W / sigma` of each matrix of a group. */
export function divideBySigmas(group: SpectralGroup, quotient: Storage): void {
  const { w, sigmas, ranges, grid } = group;
  run(kernelsOf(group).divide, { ranges, w, sigma: sigmas, quotient }, {}, grid);
}

function kernelsOf({ view }: SpectralGroup) {
  return kernels[view.wide === 4 ? "vec4f" : "f32"];
}

function gridOf(members: readonly number[], invocations: number): Grid {
  return [Math.ceil(invocations / 64), members.length, 1];
}

/** The largest singular value of member `i` of a group, as the last iteration found it. */
export function sigmaOf({ sigmas }: SpectralGroup, i: number): Storage {
  return part(sigmas, 4 * APART * i, 4);
}
