/**
 * The device's side of loss scaling: nn/grad_scaler.ts.
 *
 * @module
 */
import wgsl from "./grad_scaler.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import type { Live } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { noteNonFinite } from "./finite.ts";

const kernelOf = kernel("grad_scaler", wgsl);

/** Numbers in the state; the shader names them. */
export const SCALING = 5;

/** How the scale is updated, and the betas whose powers the state has. */
export interface Scaling {
  readonly growth: number;
  readonly backoff: number;
  /** Below this scale the optimiser has stopped: its flag is set. */
  readonly least: number;
  /** Where growth ends. */
  readonly most: number;
  /** Steps without an overflow from one growth to the next. */
  readonly interval: number;
  readonly beta1: Live<number>;
  readonly beta2: Live<number>;
}

/**
 * Checks whether all gradients are finite, and updates the scale.
 *
 * @param state `[5]`: scale, steps since it changed, powers of both betas, factor of these gradients.
 * @param bad `[1]`, 0 as bits, and so again afterwards.
 * @param flags As those of kernels/adam.ts; the first is set when the scale falls below `least`.
 */
export function settle(
  gradients: Tensor,
  { state, bad, flags }: Readonly<Record<"state" | "bad" | "flags", Tensor>>,
  how: Scaling,
): void {
  noteNonFinite(gradients, bad.storage, 0);
  run(kernelOf, { bad, flags, scaling: state }, { ...how }, [1, 1, 1]);
}
