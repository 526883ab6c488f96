/**
 * Tensors that are too large to be given to a shader whole.
 *
 * @module
 */
import { gpu } from "../gpu/gpu.ts";
import { assertBindable, bindable, part } from "../gpu/memory.ts";
import { empty, Tensor } from "../tensor/tensor.ts";

const ALIGNED = 256; // bytes; where a part may begin

/**
 * Runs `body` on tensors that consist of `n` units each, such as pictures or rows: on all at once where
 * a binding can hold each, else on as many as one can, then on the next.
 *
 * @param body Is given parts `[count, ...]`, how many units they are of, and the number of the portion.
 * @param unit Bytes of a unit of what `body` makes of them, where that is more.
 * @throws {GpuError} If not even the fewest units that can begin anywhere fit.
 */
export function portions(
  tensors: readonly Tensor[],
  n: number,
  body: (parts: readonly Tensor[], count: number, nth: number) => void,
  unit = 0,
): void {
  const each = portionOf(tensors, n, unit);
  if (each === n) return body(tensors, n, 0);
  for (let first = 0, nth = 0; first < n; first += each, nth++) {
    const count = Math.min(each, n - first);
    gpu().counters.portions++;
    body(
      tensors.map(({ size, storage }) => {
        const bytes = 4 * size / n;
        return new Tensor([count, size / n], part(storage, bytes * first, bytes * count));
      }),
      count,
      nth,
    );
  }
}

/** The same with tensors that have names, such as those of a shader's bindings. */
export function portionsByName(
  tensors: Readonly<Record<string, Tensor>>,
  n: number,
  body: (parts: Record<string, Tensor>, count: number, nth: number) => void,
  unit = 0,
): void {
  const names = Object.keys(tensors);
  portions(
    Object.values(tensors),
    n,
    (parts, count, nth) =>
      body(Object.fromEntries(parts.map((part, i) => [names[i], part])), count, nth),
    unit,
  );
}

/** How many portions that will be. */
export function portionsOf(tensors: readonly Tensor[], n: number, unit = 0): number {
  return Math.ceil(n / portionOf(tensors, n, unit));
}

function portionOf(tensors: readonly Tensor[], n: number, unit: number): number {
  const bytes = tensors.map(({ size }) => 4 * size / n), most = Math.max(unit, ...bytes);
  if (n * most <= bindable()) return n;
  const step = Math.max(...bytes.map((b) => ALIGNED / gcd(ALIGNED, b)));
  const each = Math.floor(bindable() / most / step) * step;
  if (each === 0) assertBindable(step * most);
  return Math.min(n, each);
}

/** Of a power of two and another number. */
function gcd(a: number, b: number): number {
  while (b % a) a /= 2;
  return a;
}

/**
 * The same where each portion makes a summand of `y`: `body` is given a place for it, and `add` adds
 * `sums [count, width]` up.
 */
export function summed(
  y: Tensor,
  tensors: readonly Tensor[],
  n: number,
  body: (parts: readonly Tensor[], y: Tensor, count: number) => void,
  add: (y: Tensor, sums: Tensor) => void,
  unit = 0,
): void {
  const count = portionsOf(tensors, n, unit);
  if (count === 1) return body(tensors, y, n);
  const width = Math.ceil(y.size / 64) * 64, sums = empty([count, width]);
  portions(tensors, n, (parts, count, nth) => {
    const place = part(sums.storage, 4 * width * nth, 4 * y.size);
    body(parts, new Tensor(y.shape, place), count);
  }, unit);
  add(y, sums);
}
