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

const update = kernel("adam", wgsl), updateScaled = kernel("adam", wgsl, "scaled");

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

const LARGE = 65_536; // elements from which a tensor is worth a dispatch of its own

/**
 * Updates parameters and moments in place: large tensors in a dispatch each, the rest by fours. A
 * dispatch is as wide as its widest tensor, so sizes that differ much do not go together.
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
  const bySize = grads.map((g, i) => ({ g, n: Math.ceil(g.size / 4), o: offsets[i] / 16 }))
    .sort((a, b) => b.n - a.n);
  for (let i = 0; i < bySize.length;) {
    const four = bySize.slice(i, 4 * bySize[i].n >= LARGE ? i + 1 : i + 4);
    i += four.length;
    const at = (j: number) => four[j] ?? { g: four[0].g, n: 0, o: 0 };
    const [a, b, c, d] = [at(0), at(1), at(2), at(3)];
    const groups = Math.ceil(a.n / 64), z = Math.ceil(groups / 65_535);
    run(
      scaling ? updateScaled : update,
      { ...state, g0: a.g, g1: b.g, g2: c.g, g3: d.g, ...scaling && { scaling } },
      {
        ...numbers,
        n0: a.n,
        n1: b.n,
        n2: c.n,
        n3: d.n,
        o0: a.o,
        o1: b.o,
        o2: c.o,
        o3: d.o,
      },
      [Math.ceil(groups / z), four.length, z],
    );
  }
}
