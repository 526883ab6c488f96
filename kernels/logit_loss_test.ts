import { assertThrows } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { logitLoss } from "./logit_loss.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const references = {
  crossEntropy: (x: number, t: number) => Math.log1p(Math.exp(x)) - t * x,
  leastSquares: (x: number, t: number) => (x - t) ** 2 / 2,
  hinge: (x: number, t: number) => Math.max(0, 1 - t * x),
  linear: (x: number, t: number) => -t * x,
};
for (const [name, f] of Object.entries(references)) {
  const kind = name as keyof typeof references;
  // one logit; a prime; a workgroup and one more; targets that are a number, one for all, one each
  for (const [N, count] of [[1, 0], [7, 1], [64, 64], [65, 0], [131, 131]]) {
    Deno.test(`logitLoss() of ${name}, ${N} logits, ${count || "fixed"} targets`, () => {
      const t = count ? randoms(count, 7).map((e) => Math.fround(0.75 + e / 4)) : [-1];
      return checkOp(
        (x) => logitLoss(kind, x, count ? tensor(t, [count]) : t[0], 0.5),
        (x) => [0.5 * x.reduce((sum, e, n) => sum + f(e, t[n % t.length]), 0) / N],
        [[N]],
        { input: (u) => 3 * u },
      );
    });
  }
}

Deno.test("logitLoss() of cross-entropy neither overflows nor loses digits far out", async () => {
  for (const x of [-100, -30, -10, 10, 30, 100]) {
    for (const t of [0, 1]) {
      const logit = tensor([x], [1], true), y = logitLoss("crossEntropy", logit, t);
      const away = t === 1 ? -x : x, slope = (t === 1 ? -1 : 1) / (1 + Math.exp(-away));
      const value = Math.max(away, 0) + Math.log1p(Math.exp(-Math.abs(away)));
      const near = { rtol: 1e-5, atol: 1e-37 };
      assertClose(`y(${x}, ${t})`, await y.read(), [value], near);
      assertClose(`dx(${x}, ${t})`, await grad(y, [logit])[0].read(), [slope], near);
    }
  }
});

Deno.test("logitLoss() refuses targets that do not fit", () => {
  const x = tensor([1, 2, 3], [3]), t = tensor([1, 1], [2]);
  assertThrows(() => logitLoss("hinge", x, t), RangeError, "t is [2], x is [3]");
});
