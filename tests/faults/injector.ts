/** Counts what may fail, and says which one does. */
export class Injector {
  /** What has been done since {@linkcode Injector.arm}, by kind. */
  readonly counts: Map<string, number> = new Map();
  /** File operations among it, in order. */
  readonly files: string[] = [];
  #armed: { readonly kind: string; readonly at: number } | undefined;
  /** What was made to fail, once it was. */
  hit: string | undefined;

  /** Counts anew; lets number `at` of `kind` fail, or none. */
  arm(armed?: { readonly kind: string; readonly at: number }): void {
    this.counts.clear();
    this.files.length = 0;
    this.#armed = armed;
    this.hit = undefined;
  }

  /**
   * Whether this one fails.
   *
   * @param first Does a part of it, which may be done before it fails.
   */
  fails(kind: string, what = "", first: () => unknown = () => {}): boolean {
    const at = this.counts.get(kind) ?? 0, armed = this.#armed;
    this.counts.set(kind, at + 1);
    if (kind === "file") this.files.push(what);
    if (armed?.kind !== kind || armed.at !== at) return false;
    this.hit = `${kind} ${at} ${what}`;
    this.strike(first);
    return true;
  }

  /** What happens just before it fails. */
  strike(first: () => unknown): void {
    first();
  }
}
