/**
 * One step of Adam over many tensors.
 *
 * @module
 */
import wgsl from "./adam.wgsl" with { type: "text" };
import { deviceInfo } from "../gpu/device.ts";
import { memo } from "../gpu/memo.ts";
import { bindable, part, type Storage } from "../gpu/memory.ts";
import type { Bindable } from "../gpu/bind.ts";
import { folded, type Live } from "../gpu/record.ts";
import { run, twins } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { variant } from "./variant.ts";

// Tensors in one dispatch: their sizes find room among its parameters. The software device goes through
// all for each invocation.
const MOST = 16, MOST_BY_LANES = 4;

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
 * Updates parameters and moments in place, several tensors a dispatch, of whatever sizes.
 *
 * @param grads In the order of the tensors.
 * @param offsets Where each tensor begins in the state, in bytes, multiples of 256.
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
  const { maxStorageBuffersPerShaderStage: bindings } = deviceInfo().limits;
  const most = variant() === "lane" ? MOST_BY_LANES : Math.min(MOST, bindings - 4);
  for (let from = 0, count = 0; from < grads.length; from += count) {
    const begin = offsets[from], bound: Record<string, Bindable> = { ...scaling && { scaling } };
    const params: Record<string, Live<number>> = { ...numbers };
    let groups = 0, size = 0;
    for (count = 0; count < most && from + count < grads.length; count++) {
      const g = grads[from + count],
        n = Math.ceil(g.size / 4),
        offset = offsets[from + count] - begin;
      if (count && offset + 16 * n > bindable()) break;
      size = offset + 16 * n;
      bound[`g${count}`] = g;
      params[`n${count}`] = n;
      params[`o${count}`] = offset / 16;
      params[`e${count}`] = 64 * (groups += Math.ceil(n / 64)); // a workgroup serves one tensor
    }
    for (const name of ["param", "m", "v"] as const) bound[name] = part(state[name], begin, size);
    run(kernelsFor({ COUNT: count, scaled: scaling !== undefined }), bound, params, folded(groups));
  }
}

const kernelsFor = memo(({ COUNT, scaled }: { COUNT: number; scaled: boolean }) =>
  twins("adam", { name: "adam.wgsl", text: wgsl }, scaled ? "scaled" : "main", { COUNT })
);
