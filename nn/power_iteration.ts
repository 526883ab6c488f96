import { part, storage } from "../gpu/memory.ts";
import {
  divideBySigmas,
  measureSigmas,
  powerIteration,
  sigmaOf,
  type SpectralGroup,
  spectralGroups,
} from "../kernels/power_iteration.ts";
import { largest } from "../kernels/spectral_norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { flatten, placeOf } from "./flat.ts";
import type { Module } from "./module.ts";
import { Weighted } from "./weighted.ts";

/** Keeps the singular vectors of a network's spectrally normalised layers near the true ones. */
export class PowerIteration {
  readonly #layers: readonly { readonly path: string; readonly layer: Weighted }[];
  readonly #groups: readonly SpectralGroup[];
  readonly #storages: readonly unknown[];

  /**
   * For the layers of `net` that are normalised; there may be none.
   *
   * It is made after the optimiser, which moves the weights; all layers are then updated at once.
   */
  constructor(net: Module) {
    this.#layers = [...net.namedModules()].flatMap(([path, layer]) =>
      layer instanceof Weighted && layer.spectral ? [{ layer, path }] : []
    );
    const buffers = net.buffers();
    if (this.#layers.length && buffers.every((t) => placeOf(t).whole === t.storage)) {
      flatten(buffers);
    }
    this.#groups = spectralGroups(this.#layers.map(({ layer }) => {
      const { w, u, v, axis } = layer.spectral!;
      return { w: placeOf(w), u: placeOf(u), v: placeOf(v), shape: w.shape, axis };
    }));
    this.#storages = this.#tensors().map(({ storage }) => storage);
  }

  /**
   * One iteration for each layer, in place: once a step in training, never else.
   *
   * @throws {Error} If an optimiser has moved the weights since this was made.
   */
  step(): void {
    const tensors = this.#tensors();
    if (tensors.some(({ storage }, i) => storage !== this.#storages[i])) {
      throw new Error("PowerIteration: the weights were moved; make it after the optimiser");
    }
    for (const group of this.#groups) powerIteration(group);
    for (const { layer } of this.#layers) {
      layer.weight_u!.storage.version++;
      layer.weight_v!.storage.version++;
    }
    this.#divide();
  }

  /** Measures anew, with the vectors as they are: after the optimiser has changed the weights. */
  measure(): void {
    for (const group of this.#groups) measureSigmas(group);
    this.#divide();
  }

  #divide(): void {
    const quotients = new Map(this.#groups.map(({ w }) => [w, storage(w.size)]));
    for (const group of this.#groups) {
      const whole = quotients.get(group.w)!;
      divideBySigmas(group, whole);
      for (const [i, index] of group.members.entries()) {
        const { layer } = this.#layers[index], { w } = layer.spectral!;
        const quotient = part(whole, placeOf(w).offset - group.from, 4 * w.size);
        layer.measured({ sigma: sigmaOf(group, i), quotient }, whole);
      }
    }
  }

  /** The largest singular value of each layer's weight before it is normalised, `[1]`, by path. */
  sigmas(): Record<string, Tensor> {
    return Object.fromEntries(this.#layers.map(({ path, layer }) => {
      const { w, u, v, axis } = layer.spectral!;
      return [path, largest(w, u, v, axis)];
    }));
  }

  #tensors(): Tensor[] {
    return this.#layers.flatMap((
      { layer: { spectral } },
    ) => [spectral!.w, spectral!.u, spectral!.v]);
  }
}
