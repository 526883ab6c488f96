import { affine, sqrt, square, sub } from "../kernels/elementwise.ts";
import { broadcastTo, mean } from "../kernels/reduce.ts";
import { concat } from "../kernels/slice.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eachBatch } from "./batches.ts";

/**
 * Adds a map that tells how much the pictures of a batch differ: the standard deviation of each
 * feature over a group of pictures, averaged over all features and pixels. Pictures `j`, `j + N/g`,
 * `j + 2N/g`, ... are a group of g = min(group, N).
 *
 * @param x `[N, H, W, C]`.
 * @param group The most pictures in a group.
 * @returns `[N, H, W, C + 1]`.
 * @throws {RangeError} If N is no multiple of the group.
 * @see Karras et al. 2018, section 3
 */
export function minibatchStddev(x: Tensor, group = 4): Tensor {
  return eachBatch(x, (x) => ofBatch(x, group));
}

function ofBatch(x: Tensor, group: number): Tensor {
  const [N, H, W, C] = x.shape, g = Math.min(group, N), M = N / g;
  if (!Number.isInteger(M)) {
    throw new RangeError(`minibatchStddev: a batch of ${N} is no multiple of its group of ${g}`);
  }
  const groups = reshape(x, [g, M, H * W * C]);
  const off = sub(groups, mean(groups, [0]));
  // 1e-8 keeps the root's slope finite where pictures are the same.
  const deviation = sqrt(affine(mean(square(off), [0]), 1, 1e-8));
  const one = reshape(mean(deviation, [1]), [1, M, 1, 1]);
  return concat([x, reshape(broadcastTo(one, [g, M, H * W, 1]), [N, H, W, 1])], 3);
}
