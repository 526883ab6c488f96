/** What a pool can keep. */
export interface Poolable {
  /** Place in the order in which all were made. */
  readonly age: number;
}

/** What is free, by its kind and size. */
export class Pool<T extends Poolable> {
  readonly #free = new Map<string, Map<number, T[]>>();

  /**
   * Takes out what fits best: of that size, else of one that is larger by the least, up to `most`; of
   * these the oldest, so that the same requests in the same order get the same each time.
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

  /** Puts one in. */
  put(kind: string, size: number, item: T): void {
    let sizes = this.#free.get(kind);
    if (!sizes) this.#free.set(kind, sizes = new Map());
    let items = sizes.get(size);
    if (!items) sizes.set(size, items = []);
    items.splice(items.findLastIndex(({ age }) => age < item.age) + 1, 0, item);
  }

  /** Takes out all that are wanted; all that there are if that is left out. */
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
