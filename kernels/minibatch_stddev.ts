/**
 * Minibatch standard deviation: how much the images of a batch differ.
 *
 * @module
 */
import wgsl from "./minibatch_stddev.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { expand } from "../gpu/wgsl.ts";
import { type Application, apply } from "../tensor/op.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import { ROW } from "./row.ts";

const ENTRIES = ["forward", "along", "gradient", "curvature"] as const;
const source = expand({ name: "minibatch_stddev.wgsl", text: wgsl }, { LANES: 256 }, ROW);
const kernels = ENTRIES.map((entry) => kernel("minibatch_stddev", source, entry));

// Keeps the root's slope finite where images are the same.
const EPS = 1e-8;

/**
 * Adds a map of how much the images of a batch differ: the standard deviation of each
 * feature over a group of images, averaged over all features and pixels. Images `j`, `j + N/g`,
 * `j + 2N/g`, ... are a group of g = min(group, N).
 *
 * @param x `[batches N, H, W, C]`.
 * @param batches Of how many batches `x` consists, each seen on its own.
 * @param group The most images in a group, up to 4.
 * @returns `[batches N, H, W, C + 1]`; it can be differentiated twice.
 * @throws {RangeError} If N is no multiple of the group, or that is above 4.
 * @see Karras et al. 2018, section 3
 */
export function minibatchStddev(x: Tensor, batches = 1, group = 4): Tensor {
  const [all, H, W, C] = x.shape, N = all / batches, G = Math.min(group, N), M = N / G;
  if (group > 4) throw new RangeError(`minibatchStddev: got groups of ${group}, at most 4 can be`);
  if (!Number.isInteger(M)) {
    throw new RangeError(`minibatchStddev: a batch of ${N} is no multiple of its group of ${G}`);
  }
  const withMap = [all, H, W, C + 1], groups = batches * M;
  const launch = (
    entry: typeof ENTRIES[number],
    given: Readonly<Record<string, Tensor>>,
    shape: Shape,
    backward?: Application["backward"],
  ) =>
    apply({
      op: `minibatchStddev/${entry}`,
      inputs: Object.values(given),
      shape,
      forward: (result) =>
        run(
          kernels[ENTRIES.indexOf(entry)],
          { ...given, result },
          { groups, M, G, C, F: H * W * C, eps: EPS },
          folded(groups),
        ),
      ...backward && { backward },
    });
  return launch("forward", { x }, withMap, (dy) => [
    launch("gradient", { dy, x }, x.shape, (u, _, need) => [
      need[0] ? launch("along", { x, u }, withMap) : null,
      need[1] ? launch("curvature", { x, dy, u }, x.shape) : null,
    ]),
  ]);
}
