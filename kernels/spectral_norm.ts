/**
 * A weight divided by its largest singular value.
 *
 * @module
 */
import wgsl from "./spectral_norm.wgsl" with { type: "text" };
import type { Kernel } from "../gpu/kernel.ts";
import type { Storage } from "../gpu/memory.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply, isRecording, noGrad, reshape } from "../tensor/op.ts";
import { empty, scoped, type Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";
import { div, mul, sub } from "./elementwise.ts";
import { asMatrix, sizesOf, viewOf } from "./power_iteration.ts";
import { sum } from "./reduce.ts";
import { variant } from "./variant.ts";

const kernels = byElement("spectral_norm", wgsl, [
  "products",
  "productsByGroup",
  "gradientOfRowsLast",
  "gradientOfColumnsLast",
  "sum",
], { LANES: 64 });
const PARTS = 256; // of a product, on GPUs

/** A weight's sigma and quotient, from a dispatch for many weights. */
export interface KnownQuotient {
  /** The largest singular value; it must stay until the gradient is computed. */
  readonly sigma: Storage;
  /** The weight over it. */
  readonly quotient: Storage;
}

/**
 * `y = W / sigma`, `sigma = u^T W v`. The gradient flows through sigma, with `u` and `v` held:
 * `dW = (dy - <dy, y> u v^T) / sigma`.
 *
 * @param w A weight `[..., R, ...]`.
 * @param u `[R]`, near the left singular vector, as `powerIteration` makes it.
 * @param v As many elements as the other axes of `w` have, in their order.
 * @param axis The axis of the outputs.
 * @param known Its sigma and quotient, if they are computed.
 * @returns The shape of `w`.
 * @throws {RangeError} If `u` or `v` does not fit.
 * @see Miyato et al. 2018, https://arxiv.org/abs/1802.05957, equations 8 to 12
 */
export function spectralNorm(
  w: Tensor,
  u: Tensor,
  v: Tensor,
  axis: number,
  known?: KnownQuotient,
): Tensor {
  const matrix = asMatrix(w.shape, axis), columns = matrix.A * matrix.B;
  if (u.size !== matrix.R || v.size !== columns) {
    throw new RangeError(
      `spectralNorm: w is [${w.shape}], outputs along axis ${axis}: got u [${u.shape}] and v ` +
        `[${v.shape}], expected ${matrix.R} and ${columns} elements`,
    );
  }
  const view = viewOf(w.shape, axis), n = w.size / view.wide;
  const own = kernels[view.wide === 4 ? "vec4f" : "f32"];
  const sizes = { ...sizesOf(view), n, chunks: 1 };
  const { sigma, quotient } = known ?? measured(w, u, v, axis);
  return apply({
    op: "spectralNorm",
    inputs: [w],
    shape: w.shape,
    place: quotient,
    forward: () => {},
    backward: (dy, y) => {
      // For second derivatives the gradient is made of plain ops, in which sigma depends on w.
      if (isRecording()) return [plainGradient(w, u, v, axis, dy)];
      const result = empty(w.shape), lanes = variant() === "lane";
      const parts = { PARTS: lanes ? 1 : PARTS };
      const product = lanes
        ? byLanes(own.products, dy, y, sizes)
        : byGroups(own.productsByGroup, dy, y, sizes);
      const bound = { dy, product, sigma, result }, grid = folded(Math.ceil(n / 64));
      if (view.rowsLast) run(own.gradientOfRowsLast, { ...bound, uV: u, v }, sizes, grid, parts);
      else run(own.gradientOfColumnsLast, { ...bound, u, vV: v }, sizes, grid, parts);
      return [result];
    },
  });
}

/** `<dy, y>`, `[1]`. */
function byLanes(products: Kernel, dy: Tensor, y: Tensor, sizes: { n: number }): Tensor {
  // Not more than 32,768 terms a sum: the software device ends loops at 65,535.
  const chunks = Math.max(1024, Math.ceil(sizes.n / 32_768));
  const partial = empty([chunks]), product = empty([1]);
  run(products, { dy, y, partial }, { ...sizes, chunks }, folded(Math.ceil(chunks / 64)));
  run(kernels.f32.sum, { partial, total: product }, { ...sizes, n: chunks }, [1, 1, 1]);
  return product;
}

/** Its parts, which the gradient's kernel sums: no dispatch waits for their sum. */
function byGroups(products: Kernel, dy: Tensor, y: Tensor, sizes: { n: number }): Tensor {
  const partial = empty([PARTS]);
  run(products, { dy, y, partial }, sizes, [PARTS, 1, 1], { PARTS });
  return partial;
}

/**
 * `sigma = u^T W v`, of shape `[1]`: the largest singular value, once power iteration has converged.
 * It records no gradient.
 */
export function largest(w: Tensor, u: Tensor, v: Tensor, axis: number): Tensor {
  return scoped(() => noGrad(() => sum(mul(w, outer(w, u, v, axis)))));
}

function measured(w: Tensor, u: Tensor, v: Tensor, axis: number): KnownQuotient {
  const sigma = largest(w, u, v, axis);
  return { sigma: sigma.storage, quotient: noGrad(() => div(w, sigma)).storage };
}

/** `u v^T`, in the shape of `w`. */
function outer(w: Tensor, u: Tensor, v: Tensor, axis: number): Tensor {
  const { A, R, B } = asMatrix(w.shape, axis);
  return reshape(mul(reshape(v, [A, 1, B]), reshape(u, [1, R, 1])), w.shape);
}

function plainGradient(w: Tensor, u: Tensor, v: Tensor, axis: number, dy: Tensor): Tensor {
  const uv = outer(w, u, v, axis), sigma = sum(mul(w, uv));
  return div(sub(dy, mul(uv, sum(mul(dy, div(w, sigma))))), sigma);
}
