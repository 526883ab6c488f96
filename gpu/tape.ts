/**
 * Replays recorded steps.
 *
 * What may differ between two plays is given as functions: parameters of dispatches, bytes of uploads and
 * effects on the host. A step is recorded twice to verify that nothing else differs.
 *
 * @module
 */
import { type Gpu, gpu } from "./gpu.ts";
import { claim, handleOf, inScope, outside, release, type Resource } from "./memory.ts";
import { type Tape, taped } from "./record.ts";

interface Kept<T> {
  readonly tape: Tape;
  readonly result: T;
  /** What the step worked on that was there before it, in order. */
  readonly given: readonly unknown[];
}

/**
 * Runs a repeated step: records it until two recordings agree, then plays it.
 *
 * A step whose numbers change each time without being live is never played, only recorded.
 */
export class Player<T> {
  /** Steps that were played, not recorded. */
  played = 0;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #agreed = new Set<string>();
  // Tapes own the resources that they use, so that nothing else is stored there between plays.
  #arena: Resource[] = [];
  #gpu: Gpu | undefined;

  /** `resources` are those of a step's result. */
  constructor(readonly resources: (result: T) => Iterable<Resource>) {}

  /**
   * Makes one step.
   *
   * @param key Names everything variable that the step depends on; each key has its own tape.
   * @param body Records the step, from persistent tensors and its own. Its result is valid until the next
   * step.
   * @throws {Error} If the steps before were made on another device.
   */
  step(key: string, body: () => T): T {
    if (gpu() !== (this.#gpu ??= gpu())) {
      throw new Error("A Player plays on the Gpu of its first step: have another one for this");
    }
    const kept = this.#kept.get(key);
    if (kept && this.#agreed.has(key)) {
      for (const command of kept.tape) command.play();
      this.played++;
      return kept.result;
    }
    try {
      const made = this.#record(body, kept);
      if (kept && same(kept, made)) this.#agreed.add(key);
      this.#kept.set(key, made);
      return made.result;
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** Gives all memory back and begins anew, for when something else is to use the device. */
  forget(): void {
    for (const resource of this.#arena) release(resource);
    this.#arena = [];
    for (const { result } of this.#kept.values()) {
      for (const resource of this.resources(result)) if (resource.live) release(resource);
    }
    this.#kept.clear();
    this.#agreed.clear();
  }

  #record(body: () => T, before: Kept<T> | undefined): Kept<T> {
    for (const resource of this.#arena) release(resource);
    this.#arena = [];
    for (const resource of before ? this.resources(before.result) : []) release(resource);
    let result: T;
    const tape = taped(() => outside(() => result = inScope(body, this.resources)));
    // One tape may work where another one has: they are not played at once.
    const tapes = [tape, ...[...this.#kept.values()].map(({ tape }) => tape)];
    this.#arena = claim(new Set(tapes.flat().flatMap(({ on }) => on)));
    const own = new Set([...this.#arena, ...this.resources(result!)].map(handleOf));
    const given = tape.flatMap(({ on }) => on.filter((handle) => !own.has(handle)));
    return { tape, result: result!, given };
  }
}

function same(a: Kept<unknown>, b: Kept<unknown>): boolean {
  return alike(a.given, b.given) && a.tape.length === b.tape.length &&
    a.tape.every(({ what }, i) => alike(what, b.tape[i].what));
}

function alike(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}
