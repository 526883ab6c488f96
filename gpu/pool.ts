/** An entry of a pool. */
export interface Poolable {
  /** Place in the order in which all were made. */
  readonly age: number;
}

/** Free resources by kind and size. */
export class Pool<T extends Poolable> {
  readonly #free = new Map<string, Map<number, T[]>>();

  /**
   * Takes out the best fit: that size, else the next larger one up to `most`; among equals the oldest, so
   * that the same sequence of requests gets the same resources each time.
   */
  take(kind: string, size: number, most = size): T | undefined {
    const sizes = this.#free.get(kind);
    const exact = sizes?.get(size)?.shift();
    if (exact || !sizes || most === size) return exact;
    let best: number | undefined;
    for (const [other, { length }] of sizes) {
      const fits = length > 0 && other > size && other <= most;
      if (fits && (best === undefined || other < best)) best = other;
    }
    return best === undefined ? undefined : sizes.get(best)!.shift();
  }

  /** Adds one. */
  put(kind: string, size: number, item: T): void {
    let sizes = this.#free.get(kind);
    if (!sizes) this.#free.set(kind, sizes = new Map());
    let items = sizes.get(size);
    if (!items) sizes.set(size, items = []);
    items.splice(items.findLastIndex(({ age }) => age < item.age) + 1, 0, item);
  }

  /** Takes out all that `wanted` accepts, by default all. */
  takeAll(isWanted: (item: T) => boolean = () => true): T[] {
    const taken: T[] = [];
    for (const sizes of this.#free.values()) {
      for (const [size, items] of sizes) {
        const kept = items.filter((item) => !isWanted(item));
        if (kept.length === items.length) continue;
        taken.push(...items.filter(isWanted));
        if (kept.length) sizes.set(size, kept);
        else sizes.delete(size);
      }
    }
    return taken;
  }
}
