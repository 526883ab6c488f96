import { clear, copy } from "../gpu/copy.ts";
import { ALIGNMENT, part, release, type Storage, storage } from "../gpu/memory.ts";
import { effect } from "../gpu/record.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Tensors that lie end to end in one buffer, so that one dispatch can update all. */
export interface Flat {
  readonly tensors: readonly Tensor[];
  readonly whole: Storage;
  /** Where each tensor begins, in bytes. */
  readonly offsets: readonly number[];
}

const flats = new WeakMap<Tensor, Flat>();

/**
 * Moves tensors into one buffer; their values stay. What is so already is left as it is.
 *
 * @throws {RangeError} If some of them lie in the buffer of another list.
 */
export function flatten(tensors: readonly Tensor[]): Flat {
  const known = tensors.length ? flats.get(tensors[0]) : undefined;
  if (
    known?.tensors.length === tensors.length && known.tensors.every((t, i) => t === tensors[i])
  ) return known;
  if (tensors.some((t) => flats.has(t))) {
    throw new RangeError("flatten: some of these tensors belong to another list");
  }
  const { whole, offsets } = layOut(tensors);
  clear(whole); // what lies between tensors is updated with them, and must be finite
  tensors.forEach((t, i) => {
    const to = part(whole, offsets[i], 4 * t.size);
    copy(t.storage, to, 4 * t.size); // and not what the memory behind it held
    release(t.storage);
    t.storage = to;
  });
  const flat = { tensors, whole, offsets };
  for (const t of tensors) flats.set(t, flat);
  return flat;
}

/** Where a tensor lies: in the buffer of its list, if it was moved to one, else in its own. */
export function placeOf(t: Tensor): { whole: Storage; offset: number } {
  const flat = flats.get(t);
  return flat
    ? { whole: flat.whole, offset: flat.offsets[flat.tensors.indexOf(t)] }
    : { whole: t.storage, offset: 0 };
}

/** Gives the memory of tensors back, and that of the lists they belong to: all of those go. */
export function free(tensors: readonly Tensor[]): void {
  const wholes = new Set(tensors.map((t) => flats.get(t)?.whole ?? t.storage));
  for (const whole of wholes) release(whole);
  for (const t of tensors) t.storage.live = false;
}

/** A buffer for tensors of these sizes, and where each begins. */
export function layOut(tensors: readonly Tensor[]): { whole: Storage; offsets: number[] } {
  const offsets: number[] = [];
  let end = 0;
  for (const { size } of tensors) {
    offsets.push(end);
    end += Math.ceil(4 * size / ALIGNMENT) * ALIGNMENT;
  }
  return { whole: storage(end), offsets };
}

/** Notes that the whole was written to, for what is derived from its tensors. */
export function changed({ tensors }: Flat): void {
  effect(() => {
    for (const { storage } of tensors) storage.version++;
  });
}
