import { openGpu } from "../gpu/engines/deno.ts";
import { tensor } from "../tensor/tensor.ts";
import { assertClose } from "../tests/support.ts";
import { losses } from "./losses.ts";
await openGpu();

// Logits of real images and of fakes, and the terms of D's loss and G's by the papers' formulas.
const r = [0.5, -1.25, 2], f = [-0.75, 1.5, 0.25], t = 0.75;
const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
const over = (values: number[], term: (x: number, i: number) => number) => mean(values.map(term));
const softplus = (x: number) => Math.log1p(Math.exp(x)), hinge = (x: number) => Math.max(0, 1 - x);
const mr = mean(r), mf = mean(f);

/** D's two terms and G's loss. */
const expected: Record<string, [real: number, fake: number, G: number]> = {
  bce: [over(r, (x) => softplus(x) - t * x), over(f, softplus), over(f, (x) => softplus(-x))],
  lsgan: [
    over(r, (x) => (x - t) ** 2 / 2),
    over(f, (x) => x ** 2 / 2),
    over(f, (x) => (x - 1) ** 2 / 2),
  ],
  hinge: [over(r, hinge), over(f, (x) => hinge(-x)), -mf],
  wgan: [-mr, mf, -mf],
  rsgan: [
    over(r, (x, i) => softplus(f[i] - x)) / 2,
    over(r, (x, i) => softplus(f[i] - x)) / 2,
    over(r, (x, i) => softplus(x - f[i])),
  ],
  ragan: [
    over(r, (x) => softplus(mf - x)),
    over(f, (x) => softplus(x - mr)),
    over(f, (x) => softplus(mr - x)) + over(r, (x) => softplus(x - mf)),
  ],
  rahinge: [
    over(r, (x) => hinge(x - mf)),
    over(f, (x) => hinge(mr - x)),
    over(f, (x) => hinge(x - mr)) + over(r, (x) => hinge(mf - x)),
  ],
};

for (const name of Object.keys(losses)) {
  Deno.test(`${name}: D's terms for real images and fakes, and G's loss, are those of the paper`, async () => {
    const { real, fake, G } = losses[name], [R, F] = [tensor(r, [3]), tensor(f, [3])];
    const values = [real(R, t, F), fake(F, R), G(F, R)];
    const items = await Promise.all(values.map((value) => value.item()));
    assertClose(name, items, expected[name], { rtol: 1e-5, atol: 1e-6 });
  });
}
