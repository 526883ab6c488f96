/**
 * Power iteration towards the largest singular values of many weights at once.
 *
 * @module
 */
import wgsl from "./power_iteration.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { part, type Storage, storage } from "../gpu/memory.ts";
import { run, write } from "../gpu/record.ts";
import { type Shape, sizeOf } from "../tensor/tensor.ts";

const columns = kernel("power_iteration", wgsl, "columns");
const rows = kernel("power_iteration", wgsl, "rows");
const normalise = kernel("power_iteration", wgsl, "normalise");

/** A part of a buffer, which holds more than it. */
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

/** Matrices that lie in the same three buffers: what one dispatch can serve. */
export interface SpectralGroup {
  readonly table: Storage;
  readonly w: Storage;
  readonly u: Storage;
  readonly v: Storage;
  readonly count: number;
  /** Elements of the partial sums, and the most invocations that a matrix needs. */
  readonly partial: number;
  readonly most: Readonly<Record<"columns" | "rows", number>>;
}

const CHUNK = 256; // columns or so that one invocation sums over

/** Sorts matrices into groups and writes their tables; for as long as the run. */
export function spectralGroups(matrices: readonly SpectralMatrix[]): SpectralGroup[] {
  const byBuffers = Map.groupBy(
    matrices,
    ({ w, u, v }) => [w, u, v].map(({ whole }) => whole.id).join(),
  );
  return [...byBuffers.values()].map((own) => {
    let partial = 0, columns = 0, rows = 0;
    const table = own.flatMap(({ w, u, v, shape, axis }) => {
      const { A, R, B } = asMatrix(shape, axis), long = Math.max(A, B);
      const chunks = Math.min(long, Math.ceil(A * B / CHUNK)), begin = partial;
      partial += chunks * R;
      columns = Math.max(columns, A * B);
      rows = Math.max(rows, chunks * R);
      return [w.offset / 4, u.offset / 4, v.offset / 4, A, R, B, chunks, begin];
    });
    const bytes = Uint32Array.from(table), made = storage(bytes.byteLength);
    write(made, bytes);
    const [{ w, u, v }] = own;
    return {
      table: part(made, 0, bytes.byteLength),
      w: w.whole,
      u: u.whole,
      v: v.whole,
      count: own.length,
      partial,
      most: { columns, rows },
    };
  });
}

/**
 * One iteration for each matrix of a group, in three dispatches and in place: `v = W^T u / |W^T u|`,
 * then `u = W v / |W v|`.
 *
 * @see Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1
 */
export function powerIteration({ table, w, u, v, count, partial, most }: SpectralGroup): void {
  const sums = storage(4 * partial), groups = (n: number) => Math.ceil(n / 64);
  run(columns, { table, w, u, v }, {}, [groups(most.columns), count, 1]);
  run(rows, { table, w, v, partial: sums }, {}, [groups(most.rows), count, 1]);
  run(normalise, { table, u, v, partial: sums }, {}, [1, count, 1]);
}
