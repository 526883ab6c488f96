/**
 * One step of Adam over many tensors.
 *
 * @module
 */
import wgsl from "./adam.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import type { Storage } from "../gpu/memory.ts";
import { folded, type Live, run } from "../gpu/record.ts";
import type { Tensor } from "../tensor/tensor.ts";

const update = kernel("adam", wgsl), updateScaled = kernel("adam", wgsl, "scaled");

/** Numbers of one step; `step` is `lr / (1 - beta1^t)`, `c2` is `1 - beta2^t`, in double precision. */
export interface AdamStep {
  readonly step: Live<number>;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly c2: Live<number>;
}

/** Parameters and moments, end to end in three buffers of the same layout. */
export interface AdamState {
  readonly param: Storage;
  readonly m: Storage;
  readonly v: Storage;
}

/**
 * Updates parameters and moments in place, four tensors a dispatch, of whatever sizes.
 *
 * @param grads In the order of the tensors.
 * @param offsets Where each tensor begins in the state, in bytes, multiples of 16.
 * @param scaling Where the loss was scaled, what nn/grad_scaler.ts decided of these gradients; then `step`
 * is the learning rate, and bias corrections come from there.
 */
export function adamStep(
  state: AdamState,
  grads: readonly Tensor[],
  offsets: readonly number[],
  numbers: AdamStep,
  scaling?: Tensor,
): void {
  for (let i = 0; i < grads.length; i += 4) {
    const g = [0, 1, 2, 3].map((k) => grads[i + k] ?? grads[i]);
    const n = [0, 1, 2, 3].map((k) => Math.ceil((grads[i + k]?.size ?? 0) / 4));
    const [o0, o1, o2, o3] = [0, 1, 2, 3].map((k) => (offsets[i + k] ?? 0) / 16);
    // A workgroup serves one tensor.
    const [w0, w1, w2, w3] = n.map((size) => Math.ceil(size / 64));
    const [e0, e1, e2] = [w0, w0 + w1, w0 + w1 + w2].map((groups) => 64 * groups);
    const [n0, n1, n2, n3] = n;
    run(
      scaling ? updateScaled : update,
      { ...state, g0: g[0], g1: g[1], g2: g[2], g3: g[3], ...scaling && { scaling } },
      { ...numbers, e0, e1, e2, n0, n1, n2, n3, o0, o1, o2, o3 },
      folded(w0 + w1 + w2 + w3),
    );
  }
}
