import { type KnownQuotient, spectralNorm } from "../kernels/spectral_norm.ts";
import type { Storage } from "../gpu/memory.ts";
import { isRecording } from "../tensor/op.ts";
import { type Shape, type Tensor, tensor } from "../tensor/tensor.ts";
import { type Init, parameter } from "./init.ts";
import { Module } from "./module.ts";

/** What a layer's weight is. */
export interface WeightOptions {
  /** Of the weight on the device. */
  readonly shape: Shape;
  /** The axis of the outputs. */
  readonly axis: number;
  /** Inputs that one output sums over. */
  readonly fanIn: number;
  /** What it begins as. */
  readonly init: Init;
  /** Whether the weight is divided by its largest singular value. */
  readonly spectral: boolean;
}

/** A layer with one weight, spectrally normalised or as it is; the names are PyTorch's. */
export abstract class Weighted extends Module {
  /** The weight; absent where it is spectrally normalised. */
  readonly weight?: Tensor;
  /** The weight before it is normalised, which is what an optimiser trains. */
  readonly weight_orig?: Tensor;
  /** The left singular vector of the largest singular value, nearly; `[outputs]`. */
  readonly weight_u?: Tensor;
  /** The right one, with the other axes of the weight; flat in checkpoints, as in PyTorch. */
  readonly weight_v?: Tensor;
  readonly #axis: number;
  #known?: KnownQuotient & { readonly whole: Storage; readonly of: readonly unknown[] };
  #derived?: { readonly y: Tensor; readonly whole: Storage; readonly of: readonly unknown[] };

  /** The first values of the weight come from `init`. */
  constructor({ shape, axis, fanIn, init, spectral }: WeightOptions) {
    super();
    this.#axis = axis;
    const weight = parameter(shape, init, fanIn);
    if (!spectral) {
      this.weight = weight;
      return;
    }
    this.weight_orig = weight;
    this.weight_u = direction([shape[axis]], init, fanIn);
    this.weight_v = direction(shape.filter((_, i) => i !== axis), init, fanIn);
  }

  /** The matrix whose singular vectors are kept; undefined where none are. */
  get spectral(): { w: Tensor; u: Tensor; v: Tensor; axis: number } | undefined {
    const { weight_orig: w, weight_u: u, weight_v: v } = this;
    return w && u && v && { w, u, v, axis: this.#axis };
  }

  /**
   * Notes the largest singular value of the weight as it is now, and the weight over it, which is of
   * use for as long as `whole`, where it lies, is not taken back.
   */
  measured(known: KnownQuotient, whole: Storage): void {
    const { w, u, v } = this.spectral!;
    this.#known = { ...known, whole, of: versions([w, u, v]) };
  }

  /**
   * The weight to compute with. A normalised one is kept until the weight changes or the scope ends, so
   * that all of D's passes share it.
   */
  protected used(): Tensor {
    if (this.weight) return this.weight;
    const { w, u, v, axis } = this.spectral!, of = versions([w, u, v]), old = this.#derived;
    if (old?.whole.live && same(old.of, of) && (old.y.node || !isRecording())) return old.y;
    const known = this.#known?.whole.live && same(this.#known.of, of) ? this.#known : undefined;
    const y = spectralNorm(w, u, v, axis, known);
    this.#derived = { y, whole: known?.whole ?? y.storage, of };
    return y;
  }
}

/** A vector of length 1. */
function direction(shape: Shape, init: Init, fanIn: number): Tensor {
  const values = init(shape, fanIn), length = Math.hypot(...values);
  return tensor(values.map((value) => value / length), shape);
}

/** What changes when one of the tensors does. */
function versions(tensors: readonly Tensor[]): unknown[] {
  return tensors.flatMap(({ storage }) => [storage, storage.version]);
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((part, i) => part === b[i]);
}
