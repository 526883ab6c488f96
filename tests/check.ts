/**
 * Compares an op with a float64 reference: values, gradients, gradients of gradients.
 *
 * @module
 */
import { gpu } from "../gpu/gpu.ts";
import { add, mul, scale, square } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { grad } from "../nn/grad.ts";
import { scoped, type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "./support.ts";

/** A function of arrays in float64: the definition that a kernel is held against. */
export type Reference = (...xs: number[][]) => number[];

/** How to check; see {@linkcode checkOp}. */
export interface CheckOptions {
  /** How far a result may be from the reference, in proportion to it: 1e-4 if left out. */
  rtol?: number;
  /** And how far in addition: 1e-5 if left out. */
  atol?: number;
  /** Of the inputs and cotangents; 1 if left out. */
  seed?: number;
  /** Check the gradient of the gradient, too. */
  second?: boolean;
  /** Check no gradient. */
  forwardOnly?: boolean;
  /** Makes inputs from uniform numbers in (-1, 1), e.g. positive ones for a logarithm. */
  input?: (u: number, which: number) => number;
}

/**
 * Checks an op: its values against the reference, then every element of every input's gradient
 * against central differences of the reference, with a random cotangent (a cotangent of ones hides
 * much: softmax's gradient would be 0). Dispatches are folded as those of far larger tensors.
 *
 * @throws {Error} With the worst element.
 */
export async function checkOp(
  run: (...xs: Tensor[]) => Tensor,
  reference: Reference,
  shapes: readonly Shape[],
  options: CheckOptions = {},
): Promise<void> {
  const { seed = 1, input = (u) => u } = options;
  const xs = shapes.map((shape, i) =>
    randoms(sizeOf(shape), seed + i).map((u) => Math.fround(input(u, i)))
  );
  const expected = reference(...xs);
  const v = randoms(expected.length, seed + 100);
  const us = xs.map((x, i) => randoms(x.length, seed + 200 + i));

  const { y, grads, seconds } = inFewGroups(() =>
    scoped(() => {
      const params = xs.map((values, i) => tensor(values, shapes[i], true));
      const y = run(...params);
      if (options.forwardOnly) return { y, grads: [], seconds: [] };
      const loss = sum(mul(options.second ? bent(y) : y, tensor(v, y.shape)));
      if (!options.second) return { y, grads: grad(loss, params), seconds: [] };
      const grads = grad(loss, params, { createGraph: true });
      const slope = grads.map((g, i) => sum(mul(g, tensor(us[i], g.shape)))).reduce(add);
      // An input that the slope does not depend on has second derivative 0: give it a path.
      const anchored = params.reduce((t, p) => add(t, sum(mul(p, tensor([0], [1])))), slope);
      return { y, grads, seconds: grad(anchored, params) };
    })
  );

  assertClose("y", await y.read(), expected, options);
  const bend = (y: number[]) => options.second ? y.map((e) => e + e * e / 2) : y;
  const loss = (at: number[][]) => dot(bend(reference(...at)), v);
  for (const [i, g] of grads.entries()) {
    assertClose(`dx${i}`, await g.read(), differences(loss, xs, i, 1e-5), options);
  }
  // The slope of the loss along u, by differences; its own gradient by differences again.
  const along = (at: number[][], step: number) =>
    at.map((x, i) => x.map((e, j) => e + step * us[i][j]));
  const eps = 3e-4;
  const slope = (at: number[][]) => (loss(along(at, eps)) - loss(along(at, -eps))) / (2 * eps);
  for (const [i, g] of seconds.entries()) {
    assertClose(`ddx${i}`, await g.read(), differences(slope, xs, i, eps), {
      rtol: options.rtol ?? 1e-4,
      atol: Math.max(options.atol ?? 1e-5, 2e-5),
    });
  }
}

/** Lets dispatches that `body` records have two workgroups along a dimension, at most. */
export function inFewGroups<T>(body: () => T): T {
  const g = gpu(), { mostGroups } = g;
  g.mostGroups = 2;
  try {
    return body();
  } finally {
    g.mostGroups = mostGroups;
  }
}

/**
 * `y + y^2 / 2`. With a loss linear in `y` the gradient of a linear op would not depend on its input,
 * and the backward pass of its backward pass would never run.
 */
function bent(y: Tensor): Tensor {
  return add(y, scale(square(y), 0.5));
}

/** The gradient of `f` with respect to `xs[i]`, by central differences in float64. */
export function differences(
  f: (xs: number[][]) => number,
  xs: number[][],
  i: number,
  eps: number,
): number[] {
  return xs[i].map((_, j) => {
    const at = (d: number) =>
      f(xs.map((x, k) => k === i ? x.map((e, l) => l === j ? e + d : e) : x));
    return (at(eps) - at(-eps)) / (2 * eps);
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((t, ai, i) => t + ai * b[i], 0);
}
