/**
 * One step of Adam over many tensors.
 *
 * @module
 */
import wgsl from "./adam.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import type { Storage } from "../gpu/memory.ts";
import { run } from "../gpu/record.ts";
import type { Tensor } from "../tensor/tensor.ts";

const update = kernel("adam", wgsl);

/** Numbers of one step; `step` is `lr / (1 - beta1^t)`, `c2` is `1 - beta2^t`, in double precision. */
export interface AdamStep {
  readonly step: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly c2: number;
}

/** Parameters and moments, end to end in three buffers of the same layout. */
export interface AdamState {
  readonly param: Storage;
  readonly m: Storage;
  readonly v: Storage;
}

/**
 * Updates parameters and moments in place, four tensors a dispatch.
 *
 * @param grads In the order of the tensors.
 * @param offsets Where each tensor begins in the state, in bytes, multiples of 16.
 */
export function adamStep(
  state: AdamState,
  grads: readonly Tensor[],
  offsets: readonly number[],
  numbers: AdamStep,
): void {
  for (let i = 0; i < grads.length; i += 4) {
    const at = (j: number) => grads[Math.min(i + j, grads.length - 1)];
    const n = (j: number) => i + j < grads.length ? Math.ceil(grads[i + j].size / 4) : 0;
    const o = (j: number) => i + j < grads.length ? offsets[i + j] / 16 : 0;
    const groups = Math.ceil(Math.max(n(0), n(1), n(2), n(3)) / 64);
    const z = Math.ceil(groups / 65_535);
    run(
      update,
      { ...state, g0: at(0), g1: at(1), g2: at(2), g3: at(3) },
      {
        ...numbers,
        n0: n(0),
        n1: n(1),
        n2: n(2),
        n3: n(3),
        o0: o(0),
        o1: o(1),
        o2: o(2),
        o3: o(3),
      },
      [Math.ceil(groups / z), Math.min(4, grads.length - i), z],
    );
  }
}
