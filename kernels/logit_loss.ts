/**
 * Losses of logits, each in one dispatch, and its gradient in another.
 *
 * @module
 */
import wgsl from "./logit_loss.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { run } from "../gpu/run.ts";
import { expand } from "../gpu/wgsl.ts";
import { apply } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { EXACT, EXACT_FOR } from "./exact.ts";
import { ROW } from "./row.ts";

const source = expand({ name: "logit_loss.wgsl", text: wgsl }, { ...EXACT_FOR.f32, LANES: 64 }, {
  ...EXACT,
  ...ROW,
});
const forward = kernel("logit_loss", source, "forward");
const backward = kernel("logit_loss", source, "backward");

// The cases of `switch (KIND)` in the shader.
const KINDS = { crossEntropy: 0, leastSquares: 1, hinge: 2, linear: 3 } as const;

/**
 * `k E f(x, t)`, of shape `[1]`. It has a gradient for `x`, and no second one.
 *
 * @param kind What `f` is: `crossEntropy`, `log(1 + e^x) - t x`, with targets in [0, 1];
 * `leastSquares`, `(x - t)^2 / 2`; `hinge`, `max(0, 1 - t x)`, and `linear`, `-t x`, with targets of 1
 * and -1.
 * @param x Logits, `[N]`.
 * @param t Targets: a number, or `[N]` or `[1]`.
 * @throws {RangeError} If there is not a target for each logit.
 */
export function logitLoss(
  kind: keyof typeof KINDS,
  x: Tensor,
  t: number | Tensor,
  k = 1,
): Tensor {
  const N = x.size, given = typeof t === "object";
  if (given && t.size !== N && t.size !== 1) {
    throw new RangeError(`logitLoss: t is [${t.shape}], x is [${x.shape}]`);
  }
  const bound = { x, t: given ? t : x };
  const params = { N, step: given && t.size > 1 ? 1 : 0, goal: given ? 0 : t, k: k / N };
  const constants = { KIND: KINDS[kind], GIVEN: Number(given) };
  return apply({
    op: "logitLoss",
    inputs: [x],
    shape: [1],
    forward: (y) => run(forward, { ...bound, y }, params, [1, 1, 1], constants),
    backward: (dy) => [apply({
      op: "logitLoss's gradient",
      inputs: [dy, x],
      shape: x.shape,
      forward: (dx) =>
        run(backward, { ...bound, dy, dx }, params, [Math.ceil(N / 64), 1, 1], constants),
    })],
  });
}
