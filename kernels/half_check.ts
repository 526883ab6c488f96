/**
 * Checks how a device stores half-precision numbers: some truncate where they should round, and give
 * 65504 where infinity should tell of an overflow, so that the loss scale would never be lowered.
 *
 * @module
 */
import { GpuError } from "../gpu/errors.ts";
import { deviceInfo } from "../gpu/device.ts";
import { noGrad } from "../tensor/op.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { matmul } from "./matmul.ts";
import { forcePlan } from "./plan.ts";

/** Numbers and the nearest halves, ties to even; infinity from 65520 on, 0 below 2^-25. */
const ROUNDED: readonly (readonly [number, number])[] = [
  [2049, 2048],
  [2051, 2052],
  [-4098.5, -4100],
  [65519, 65504],
  [65520, Infinity],
  [-1e6, -Infinity],
  [3e-8, 2 ** -24],
  [2.9e-8, 0],
];

/**
 * Runs a product in half precision by each form that operands are stored in on this device.
 *
 * @param product The product to check, by default the library's.
 * @throws {GpuError} If a number is not rounded to the nearest half.
 */
export async function assertHalves(
  product = (a: Tensor, b: Tensor): Tensor => matmul(a, b, { precision: "f16" }),
): Promise<void> {
  const { name, fastTextures } = deviceInfo();
  const a = tensor(ROUNDED.map(([number]) => number), [ROUNDED.length, 1]), b = tensor([1], [1, 1]);
  for (const load of fastTextures ? ["texture", "buffer"] as const : ["buffer"] as const) {
    forcePlan({ load });
    const y = noGrad(() => product(a, b));
    forcePlan(undefined);
    const found = await y.read();
    const at = ROUNDED.findIndex(([, half], i) => found[i] !== half);
    if (at < 0) continue;
    const [number, half] = ROUNDED[at];
    throw new GpuError(
      `--precision f16: ${name} stores ${number} in a ${load} of halves as ${found[at]}, ` +
        `expected ${half}: take --precision f32, or update its driver`,
    );
  }
}
