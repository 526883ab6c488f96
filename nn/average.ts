import type { Live } from "../gpu/record.ts";
import { lerpInto } from "../kernels/lerp.ts";
import { changed, flatten } from "./flat.ts";
import type { Module } from "./module.ts";

/**
 * A running average of a network's weights (EMA). Running statistics are copied, not averaged: they are
 * averages already.
 */
export class Average<M extends Module> {
  /**
   * Copies `source` to `net`.
   *
   * @param source The net that is trained.
   * @param net A network of the same shapes, which becomes the average.
   */
  constructor(readonly source: M, readonly net: M) {
    this.#follow(1);
  }

  /**
   * `net = decay net + (1 - decay) source`.
   *
   * @param decay Near 1; 0 copies.
   */
  update(decay: Live<number>): void {
    this.#follow(typeof decay === "function" ? () => 1 - decay() : 1 - decay);
  }

  #follow(k: Live<number>): void {
    const { source, net } = this;
    const pairs = [
      [source.parameters(), net.parameters(), k],
      [source.buffers(), net.buffers(), 1],
    ] as const;
    for (const [from, to, k] of pairs) {
      if (from.length === 0) continue;
      const target = flatten(to);
      lerpInto(target.whole, flatten(from).whole, k);
      changed(target);
    }
  }
}
