/**
 * Merges groups of channels that the kernels do not support, with zeros between them.
 *
 * @module
 */
import { reshape } from "../tensor/op.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Geometry, Sizes } from "./conv2d_sizes.ts";
import { mul } from "./elementwise.ts";
import { broadcastTo, sum } from "./reduce.ts";

/** Channels a group whose texels and steps of loops (eight channels, or all) end where it does. */
function isWhole(channels: number): boolean {
  return channels % 8 === 0 || channels === 4 || channels === 12;
}

/** How many groups to merge into one: 1 where the kernels support them. */
export function widening({ C, O, groups }: Sizes): number {
  for (let m = 1; m < groups; m++) {
    if (groups % m === 0 && isWhole(m * C / groups) && isWhole(m * O / groups)) return m;
  }
  return groups;
}

/** `[m, 1, O]`: whether output `o` is of group `j` of those that are made one. */
function mask(m: number, O: number, { groups = 1 }: Geometry): Tensor {
  const values = Float32Array.from({ length: m * O }, (_, i) => {
    const group = Math.floor(i % O / (O / groups));
    return group % m === Math.floor(i / O) ? 1 : 0;
  });
  return tensor(values, [m, 1, O]);
}

/** `[kh, kw, C, O]` as `[kh, kw, m C, O]` with zeros where inputs and outputs are of different groups. */
export function widened(w: Tensor, m: number, g: Geometry): Tensor {
  const [kh, kw, C, O] = w.shape;
  const each = broadcastTo(reshape(w, [kh * kw, 1, C, O]), [kh * kw, m, C, O]);
  return reshape(mul(each, broadcastTo(mask(m, O, g), [m, C, O])), [kh, kw, m * C, O]);
}

/** The adjoint of {@linkcode widened}: `[kh, kw, m C, O]` to `[kh, kw, C, O]`. */
export function narrowed(wide: Tensor, m: number, g: Geometry): Tensor {
  const [kh, kw, mC, O] = wide.shape, C = mC / m;
  const each = reshape(wide, [kh * kw, m, C, O]);
  return reshape(sum(mul(each, broadcastTo(mask(m, O, g), [m, C, O])), [1]), [kh, kw, C, O]);
}
