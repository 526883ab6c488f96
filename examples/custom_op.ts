/**
 * An op of your own: a WGSL shader, its backward pass made of other ops, and a check of its gradients.
 *
 * ```sh
 * deno run -A examples/custom_op.ts
 * ```
 *
 * @module
 */
import { add, affine, apply, folded, kernel, mul, openGpu, run, sigmoid } from "@webgan/webgan";
import type { Tensor } from "@webgan/webgan";
import { checkOp } from "@webgan/webgan/testing";
import wgsl from "./custom_op.wgsl" with { type: "text" };

const swishKernel = kernel("custom_op", wgsl);

/** `x sigmoid(x)`. @see Ramachandran et al. 2017, https://arxiv.org/abs/1710.05941 */
export function swish(x: Tensor): Tensor {
  return apply({
    op: "swish",
    inputs: [x],
    shape: x.shape,
    forward: (y) => {
      const n4 = Math.ceil(x.size / 4);
      run(swishKernel, { x, y }, { n4 }, folded(Math.ceil(n4 / 64)));
    },
    // s + y (1 - s): made of ops, so the gradient has a gradient, too.
    backward: (dy, y) => {
      const s = sigmoid(x);
      return [mul(dy, add(s, mul(y, affine(s, -1, 1))))];
    },
  });
}

if (import.meta.main) {
  await openGpu();
  const reference = (xs: number[]) => xs.map((x) => x / (1 + Math.exp(-x)));
  for (const shape of [[1], [7, 13], [300, 5]]) {
    await checkOp(swish, reference, [shape], { second: true });
    console.log(`[${shape}]: values, gradients and second derivatives are right`);
  }
  Deno.exit(); // an open device keeps the process alive
}
