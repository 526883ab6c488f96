/**
 * How matrix products and convolutions store their operands: in float32, or rounded to half precision.
 *
 * With `f16` both operands of each product are stored as f16 (half the bytes to load), and all else
 * stays f32: tensors, weights, sums, norms, losses, optimisers. Kernels widen an operand when they have
 * loaded it, and multiply and add in f32, which is what tensor cores compute: a product of two f16
 * numbers has 22 bits and fits f32 exactly. Multiplied as f16 instead, each product would be rounded to
 * 11 bits, end at 65,504 and vanish below 6e-8, and would have to be widened one by one before it is
 * added, where now an operand is widened once for many products.
 *
 * @module
 */
import type { DeviceInfo } from "../gpu/device.ts";
import { GpuError } from "../gpu/errors.ts";

/** How operands of products are stored. */
export type Precision = "f32" | "f16";

/**
 * Checks that a device supports a precision.
 *
 * @throws {GpuError} If it has not.
 */
export function assertPrecision(
  wanted: Precision,
  { name, features }: Pick<DeviceInfo, "name" | "features">,
): void {
  if (wanted === "f32" || features.includes("shader-f16")) return;
  throw new GpuError(
    `--precision ${wanted} needs a device with shader-f16, which ${name} lacks: take ` +
      `--precision f32, or another --device (gan doctor tells what each has)`,
  );
}
