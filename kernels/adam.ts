/**
 * One step of Adam over the parameters of a network, which are contiguous.
 *
 * @module
 */
import wgsl from "./adam.wgsl" with { type: "text" };
import { ranges, type Storage } from "../gpu/memory.ts";
import { folded, type Live } from "../gpu/record.ts";
import { run, twins } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Numbers of one step; `step` is `lr / (1 - beta1^t)`, `c2` is `1 - beta2^t`, in double precision. */
export interface AdamStep {
  readonly step: Live<number>;
  readonly beta1: Live<number>;
  readonly beta2: Live<number>;
  readonly eps: number;
  readonly c2: Live<number>;
}

/** Parameters, their gradients and both moments: four buffers of one layout. */
export interface AdamState {
  readonly param: Storage;
  readonly g: Storage;
  readonly m: Storage;
  readonly v: Storage;
}

const FILE = { name: "adam.wgsl", text: wgsl };
const plain = twins("adam", FILE, "main"), scaled = twins("adam", FILE, "scaled");
const guarded = twins("adam", FILE, "guarded");

/**
 * Updates parameters and moments in place: in one dispatch, or in several if they exceed a binding.
 *
 * @param scaling The state of nn/grad_scaler.ts, if the loss was scaled; `step` is then the learning rate, and
 * the state has the bias corrections.
 * @param overflow Two flags, `[2]` as bits: without scaling, nothing is updated once the first is set; the
 *   second is set where what is updated becomes NaN or infinite. Scaling needs them.
 */
export function adamStep(
  { param, g, m, v }: AdamState,
  numbers: AdamStep,
  scaling?: Tensor,
  overflow?: Tensor,
): void {
  for (const bound of ranges({ param, g, m, v })) {
    const n = bound.param.size / 16, grid = folded(Math.ceil(n / 64));
    if (scaling) run(scaled, { ...bound, scaling, overflow: overflow! }, { ...numbers, n }, grid);
    else if (overflow) run(guarded, { ...bound, overflow }, { ...numbers, n }, grid);
    else run(plain, bound, { ...numbers, n }, grid);
  }
}
