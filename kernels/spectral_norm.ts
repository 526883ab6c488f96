/**
 * A weight divided by its largest singular value.
 *
 * @module
 */
import wgsl from "./spectral_norm.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded, run } from "../gpu/record.ts";
import { apply, isRecording, reshape } from "../tensor/op.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { div, mul, sub } from "./elementwise.ts";
import { asMatrix } from "./power_iteration.ts";
import { sum } from "./reduce.ts";

const [terms, products, total, divide, gradient] = [
  "terms",
  "products",
  "sum",
  "divide",
  "gradient",
].map((entry) => kernel("spectral_norm", wgsl, entry));

/**
 * `y = W / sigma`, `sigma = u^T W v`. The gradient flows through sigma, with `u` and `v` held:
 * `dW = (dy - <dy, y> u v^T) / sigma`.
 *
 * @param w A weight `[..., R, ...]`.
 * @param u `[R]`, near the left singular vector, as `powerIteration` makes it.
 * @param v As many elements as the other axes of `w` have, in their order.
 * @param axis The axis of the outputs.
 * @returns The shape of `w`.
 * @throws {RangeError} If `u` or `v` does not fit.
 * @see Miyato et al. 2018, https://arxiv.org/abs/1802.05957, equations 8 to 12
 */
export function spectralNorm(w: Tensor, u: Tensor, v: Tensor, axis: number): Tensor {
  const z = asMatrix(w.shape, axis), columns = z.A * z.B, n = w.size;
  if (u.size !== z.R || v.size !== columns) {
    throw new RangeError(
      `spectralNorm: w is [${w.shape}], outputs along axis ${axis}: got u [${u.shape}] and v ` +
        `[${v.shape}], expected ${z.R} and ${columns} elements`,
    );
  }
  const sigma = largest(w, u, v, axis);
  return apply({
    op: "spectralNorm",
    inputs: [w],
    shape: w.shape,
    forward: (result) => {
      run(divide, { w, sigma, result }, { ...z, n, chunks: 1 }, folded(Math.ceil(n / 64)));
    },
    backward: (dy, y) => {
      // A gradient that is to have a gradient is made of plain ops, in which sigma depends on w.
      if (isRecording()) return [plainGradient(w, u, v, axis, dy)];
      // Not more than 32,768 terms a sum: the software device ends loops at 65,535.
      const chunks = Math.max(1024, Math.ceil(n / 32_768));
      const partial = empty([chunks]), product = empty([1]), dw = empty(w.shape);
      const sizes = { ...z, n, chunks };
      run(products, { dy, y, partial }, sizes, folded(Math.ceil(chunks / 64)));
      run(total, { partial, total: product }, { ...sizes, n: chunks }, [1, 1, 1]);
      const bound = { u, v, dy, product, sigma, result: dw };
      run(gradient, bound, sizes, folded(Math.ceil(n / 64)));
      return [dw];
    },
  });
}

/**
 * `sigma = u^T W v`, of shape `[1]`: the largest singular value, once power iteration has converged.
 * It records no gradient.
 */
export function largest(w: Tensor, u: Tensor, v: Tensor, axis: number): Tensor {
  const z = asMatrix(w.shape, axis), n = z.A * z.B, sizes = { ...z, n, chunks: 1 };
  const sigma = empty([1]), partial = empty([n]);
  run(terms, { w, u, v, partial }, sizes, folded(Math.ceil(n / 64)));
  run(total, { partial, total: sigma }, sizes, [1, 1, 1]);
  return sigma;
}

function plainGradient(w: Tensor, u: Tensor, v: Tensor, axis: number, dy: Tensor): Tensor {
  const { A, R, B } = asMatrix(w.shape, axis);
  const outer = reshape(mul(reshape(v, [A, 1, B]), reshape(u, [1, R, 1])), w.shape);
  const sigma = sum(mul(w, outer));
  return div(sub(dy, mul(outer, sum(mul(dy, div(w, sigma))))), sigma);
}
