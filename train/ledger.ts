import { part, release, type Storage, storage } from "../gpu/memory.ts";
import { read } from "../gpu/read.ts";
import { copy } from "../gpu/copy.ts";
import type { StepLosses } from "./step.ts";

/** Means of the losses over some steps. */
export type LossMeans =
  & Readonly<Record<"dReal" | "dFake" | "g", number>>
  & { readonly penalty?: number };

/** Losses of many steps, kept on the device so that a step need not wait for them. */
export class Ledger {
  readonly #storage: Storage;
  #steps = 0;
  #penalised = false;

  /** Takes room for the losses of `capacity` steps between two readings. */
  constructor(
    /** Steps between two readings, at most. */
    readonly capacity: number,
  ) {
    this.#storage = storage(16 * capacity);
  }

  /** Gives its memory back. */
  free(): void {
    release(this.#storage);
  }

  /** True if it must be read before the next step. */
  get full(): boolean {
    return this.#steps === this.capacity;
  }

  /** Notes the losses of a step. */
  note({ dReal, dFake, g, penalty }: StepLosses): void {
    const at = 16 * this.#steps++;
    this.#penalised = penalty !== undefined;
    [dReal, dFake, g, ...penalty ? [penalty] : []].forEach((loss, i) =>
      copy(loss.storage, part(this.#storage, at + 4 * i, 4), 4)
    );
  }

  /** The means since the last reading; undefined if no step was noted. */
  async read(): Promise<LossMeans | undefined> {
    const n = this.#steps;
    this.#steps = 0;
    if (n === 0) return undefined;
    const values = new Float32Array(await read(this.#storage, 16 * this.capacity));
    const mean = (column: number) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += values[4 * i + column];
      return total / n;
    };
    const means = { dReal: mean(0), dFake: mean(1), g: mean(2) };
    return this.#penalised ? { ...means, penalty: mean(3) } : means;
  }
}
