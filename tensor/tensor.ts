import { adopt, inScope, isOwn, type Resource, type Storage, storage } from "../gpu/memory.ts";
import { read } from "../gpu/read.ts";
import { write } from "../gpu/copy.ts";
import { inspected } from "./inspect.ts";

/** Sizes along the axes. Images are `[N, H, W, C]`. */
export type Shape = readonly number[];

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** True if two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** How a tensor was computed. */
export interface Node {
  /** Name of the op. */
  readonly op: string;
  /** What it was computed from. */
  readonly inputs: readonly Tensor[];
  /**
   * One gradient for each input, in order.
   *
   * @param need Which of them are needed; the others may be null.
   */
  readonly backward: (dy: Tensor, need: readonly boolean[]) => readonly (Tensor | null)[];
}

/** Elements that a tensor remembers of what was last read or written, for `console.log`. */
const SHOWN = 64;

/** A value on the device: float32 elements, the last axis contiguous. */
export class Tensor {
  /** The first elements as last seen by the host, and in which version of the storage. */
  #seen: { readonly values: number[]; readonly version: number } | undefined;
  /** Set by `apply` while a graph is recorded. */
  node?: Node;
  /**
   * A view of `storage`.
   *
   * @param shape Sizes along the axes.
   * @param storage The elements' memory; an optimiser may move it.
   * @param isParam True for a parameter.
   */
  constructor(readonly shape: Shape, public storage: Storage, readonly isParam = false) {}

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * Copies the elements to the host. Nothing else waits for the device.
   *
   * @throws {TypeError} If the scope that it was made in has ended.
   */
  async read(): Promise<Float32Array<ArrayBuffer>> {
    this.#assertLive("read");
    const { version } = this.storage;
    const values = new Float32Array(await read(this.storage, 4 * this.size));
    this.#see(values, version);
    return values;
  }

  /**
   * The value of a tensor with one element, such as a loss.
   *
   * @throws {RangeError} If it has several.
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new RangeError(`item: got shape [${this.shape}], expected one element`);
    }
    return (await this.read())[0];
  }

  /** Replaces the elements. For what is meant to change: parameters, statistics, inputs. */
  write(values: ArrayLike<number>): void {
    if (values.length !== this.size) {
      throw new RangeError(`write: got ${values.length} values for shape [${this.shape}]`);
    }
    this.#assertLive("write");
    const floats = values instanceof Float32Array && values.buffer instanceof ArrayBuffer
      ? values as Float32Array<ArrayBuffer>
      : Float32Array.from(values);
    write(this.storage, floats);
    this.#see(floats, this.storage.version);
  }

  #see(values: Float32Array, version: number): void {
    this.#seen = { values: [...values.subarray(0, SHOWN)], version };
  }

  #assertLive(op: string): void {
    if ((this.storage.whole ?? this.storage).live) return;
    throw new TypeError(
      `${op}: the memory of this tensor of shape [${this.shape}] went back when its scope ended: ` +
        `return the tensor from scoped(), or read it inside`,
    );
  }

  /** What `console.log` prints: the shape, the op, and the elements as the host last saw them. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const seen = this.#seen?.version === this.storage.version ? this.#seen.values : undefined;
    return inspected(this.shape, this.node?.op, seen);
  }
}

/**
 * A tensor with undefined contents, for an op or a copy to fill.
 *
 * @throws {RangeError} If it would have no elements.
 */
export function empty(shape: Shape): Tensor {
  checkShape("tensor", shape);
  return new Tensor(shape, storage(4 * sizeOf(shape)));
}

/**
 * Validates the shape of an op's result.
 *
 * @throws {RangeError} If a size is not a whole number of at least 1.
 */
export function checkShape(op: string, shape: Shape): void {
  if (shape.every((size) => Number.isInteger(size) && size > 0)) return;
  throw new RangeError(`${op}: got shape [${shape}], expected sizes of at least 1 along each axis`);
}

/**
 * A tensor of given values.
 *
 * @param values As many as `shape` asks for, in row-major order.
 * @param isParam True for a parameter.
 * @throws {RangeError} If the count does not fit, or the shape has no elements.
 */
export function tensor(values: ArrayLike<number>, shape: Shape, isParam = false): Tensor {
  checkShape("tensor", shape);
  const made = new Tensor(shape, storage(4 * sizeOf(shape)), isParam);
  made.write(values);
  return made;
}

/** What a scope may return: tensors, alone or in arrays and plain records; numbers and texts pass. */
export type Kept =
  | Tensor
  | number
  | string
  | boolean
  | undefined
  | null
  | void
  | readonly Kept[]
  | {
    readonly [key: string]: Kept;
  };

/** Runs `body`, then takes back all memory that it took, except that of the tensors it returns. */
export function scoped<T extends Kept>(body: () => T): T {
  return inScope(body, resources);
}

/**
 * As {@linkcode scoped}, for a part of a computation after which nobody needs `last`: their memory goes
 * back, too, if the innermost scope owns it, so that a chain of parts takes the memory of one.
 */
export function consuming<T extends Kept>(last: readonly Tensor[], body: () => T): T {
  const own = last.filter(({ storage }) => isOwn(storage));
  return scoped(() => {
    for (const { storage } of own) adopt(storage);
    return body();
  });
}

function* resources(value: Kept): Generator<Resource> {
  if (value instanceof Tensor) yield value.storage;
  else if (value && typeof value === "object") {
    for (const item of Object.values(value)) yield* resources(item as Kept);
  }
}
