/**
 * A bias with the (leaky) ReLU behind it, in one pass over memory.
 *
 * @module
 */
import wgsl from "./bias_relu.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded, run } from "../gpu/record.ts";
import { apply } from "../tensor/op.ts";
import { sameShape, type Tensor } from "../tensor/tensor.ts";
import { leakyGate } from "./elementwise.ts";
import { sumTo } from "./reduce.ts";

const byFours = kernel("bias_relu", wgsl);
const byOnes = kernel("bias_relu", wgsl.replace("alias Value = vec4f", "alias Value = f32"));

/**
 * `lrelu(x + b)`, `b` added along the last axis.
 *
 * @param x `[..., C]`
 * @param b `[C]`
 * @param slope Of the leaky ReLU, at least 0; 0 for a ReLU.
 * @throws {RangeError} If the channels differ or the slope is negative.
 */
export function biasRelu(x: Tensor, b: Tensor, slope = 0): Tensor {
  const C = x.shape.at(-1)!, k = C % 4 === 0 ? 4 : 1, n = x.size / k;
  if (!sameShape(b.shape, [C])) {
    throw new RangeError(`biasRelu: x is [${x.shape}], b is [${b.shape}]`);
  }
  if (!(slope >= 0)) throw new RangeError(`biasRelu: got slope ${slope}, expected at least 0`);
  return apply({
    op: "biasRelu",
    inputs: [x, b],
    shape: x.shape,
    forward: (y) =>
      run(
        k === 4 ? byFours : byOnes,
        { x, b, y },
        { n, cols: C / k, slope },
        folded(Math.ceil(n / 64)),
      ),
    // The result has the sign of what the ReLU saw, but for slope 0, where it is 0 instead of negative.
    backward: (dy, y) => {
      const dx = leakyGate(y, dy, slope);
      return [dx, sumTo(dx, b.shape)];
    },
  });
}
