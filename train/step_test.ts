import { openGpu } from "../gpu/engines/deno.ts";
import { mul, scale } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { Adam } from "../nn/adam.ts";
import { constantInit, parameter } from "../nn/init.ts";
import { Module } from "../nn/module.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { augment } from "./augment.ts";
import { losses } from "./losses.ts";
import { slopePenalty } from "./penalties.ts";
import { trainStep } from "./step.ts";
await openGpu();

/** `sum w x`: its slope is w at every image. */
class Linear extends Module {
  readonly weight = parameter([2], constantInit(0.5));

  override forward(x: Tensor): Tensor {
    return sum(mul(x, this.weight), [1]);
  }
}

/** Latents, scaled. */
class Scaled extends Module {
  readonly weight = parameter([2], constantInit(1));

  override forward(z: Tensor): Tensor {
    return mul(z, this.weight);
  }
}

for (const r1Every of [1, 4]) {
  Deno.test(`R1 at each ${r1Every}. step: slope at the real images, through augmentation`, async () => {
    const G = new Scaled(), D = new Linear(), r1 = 3, N = 5;
    const optG = new Adam(G.parameters(), { lr: 0.1, betas: [0.5, 0.9] }),
      optD = new Adam(D.parameters(), { lr: 0, betas: [0.5, 0.9] });
    const penalties: number[] = [];
    for (let i = 0; i < 2 * r1Every; i++) {
      const { penalty } = trainStep({ G, D, optG, optD }, {
        loss: losses.bce,
        dSteps: 1,
        penalties: { gp: 0, r1, r1Every, drift: 0 },
        augment: (x) => scale(x, 10),
        batch: () => ({
          z: tensor(new Float32Array(2 * N).fill(1), [N, 2]),
          real: tensor(Float32Array.from({ length: 2 * N }, (_, i) => i), [N, 2]),
          labels: 1,
        }),
      });
      penalties.push(await penalty!.item());
    }
    // r1 / 2 |10 w|^2, as much heavier as it is rarer
    const due = r1 / 2 * 100 * 2 * 0.25;
    const expected = penalties.map((_, i) => i % r1Every === 0 ? r1Every * due : 0);
    assertClose("penalty", penalties, expected);
  });
}

Deno.test("R1 sees no slope where augmentation cut a square out of an image", async () => {
  const N = 3, R = 8, shape = [N, R, R, 3], w = randoms(R * R * 3, 1);
  const cut = (x: Tensor) => augment(x, ["cutout"], { seed: 3, stream: 40, counter: 5 });
  const mask = await cut(tensor(new Float32Array(N * w.length).fill(1), shape)).read();
  const weight = tensor(w, [1, R, R, 3], true);
  const real = tensor(randoms(N * w.length, 4), shape);
  const logits = sum(mul(cut(real), weight), [1, 2, 3]);
  const kept = mask.reduce((t, m, i) => t + m * w[i % w.length] ** 2, 0) / N;
  assertClose("R1", await slopePenalty(logits, real).read(), [kept]);
});
