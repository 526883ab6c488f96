/**
 * The bias and activation that a matrix product or convolution applies to each sum before it stores it,
 * without another pass over memory.
 *
 * @module
 */
import { isRecording } from "../tensor/op.ts";
import { sameShape, type Tensor } from "../tensor/tensor.ts";
import { leakyGate } from "./elementwise.ts";
import { gateAndSum } from "./gate_sum.ts";
import { sumTo } from "./reduce.ts";

/** `lrelu(y + bias)`. */
export interface Epilogue {
  /** Added along the last axis, `[channels]`; nothing if left out. */
  readonly bias?: Tensor | undefined;
  /** Of the leaky ReLU: 0 for a ReLU, 1 (the default) for none. */
  readonly slope?: number | undefined;
}

/**
 * Checks that the epilogue fits.
 *
 * @throws {RangeError} If there is not a bias for each channel, or the slope is negative: then the sign
 * of the ReLU's input cannot be found from its result.
 */
export function checkEpilogue(op: string, { bias, slope = 1 }: Epilogue, channels: number): void {
  if (bias && !sameShape(bias.shape, [channels])) {
    throw new RangeError(`${op}: bias is [${bias.shape}], expected [${channels}]`);
  }
  if (!(slope >= 0)) throw new RangeError(`${op}: got slope ${slope}, expected at least 0`);
}

/**
 * The gradient of the epilogue's input, from that of its result `y`, and the bias's if it is
 * needed.
 */
export function throughEpilogue(
  dy: Tensor,
  y: Tensor,
  { bias, slope = 1 }: Epilogue,
  need: boolean,
): [dz: Tensor, db: Tensor | null] {
  // The result has the sign of the ReLU's input, but for slope 0, where it is 0 instead of negative.
  if (bias && need && slope !== 1 && !isRecording()) return gateAndSum(y, dy, slope);
  const dz = slope === 1 ? dy : leakyGate(y, dy, slope);
  return [dz, bias && need ? sumTo(dz, bias.shape) : null];
}
