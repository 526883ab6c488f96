/**
 * Results that are kept, each found by everything that it was made from.
 *
 * @module
 */

/** A function that keeps its results. */
export interface Memo<R, T> {
  (recipe: R): T;
  /** Results kept so far. */
  readonly size: number;
}

/**
 * Keeps what `make` makes. The key is the whole recipe, so no input can be missing from it: `make` must
 * read nothing else that can change.
 *
 * @param make A pure function of a record of plain data.
 * @throws {TypeError} If a recipe holds anything that JSON does not keep apart: NaN, infinity, a function.
 */
export function memo<R extends object, T>(make: (recipe: R) => T): Memo<R, T> {
  const made = new Map<string, T>();
  const find = (recipe: R): T => {
    const key = JSON.stringify(recipe, plain);
    if (!made.has(key)) made.set(key, make(recipe));
    return made.get(key)!;
  };
  return Object.defineProperty(find, "size", { get: () => made.size }) as Memo<R, T>;
}

function plain(name: string, value: unknown): unknown {
  const fits = typeof value === "object"
    ? Array.isArray(value) || Object.getPrototypeOf(value ?? "") === Object.prototype
    : typeof value === "number"
    ? Number.isFinite(value)
    : ["string", "boolean", "undefined"].includes(typeof value);
  if (!fits) throw new TypeError(`memo: ${name} is ${value}, which is not plain data`);
  return value;
}
