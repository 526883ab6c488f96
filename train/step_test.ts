import { openGpu } from "../gpu/device.ts";
import { mul, scale } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { Adam } from "../nn/adam.ts";
import { Module } from "../nn/module.ts";
import { reshape } from "../tensor/op.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { augment } from "./augment.ts";
import { losses } from "./losses.ts";
import { trainStep } from "./step.ts";
await openGpu();

const N = 3, R = 8, image = [R, R, 3], size = R * R * 3;
const w = randoms(size, 1), key = { seed: 3, stream: 40, counter: 5 };

/** The latent times a weight, as an image. */
class G extends Module {
  readonly weight = tensor(randoms(size, 2), [size], true);
  override forward(z: Tensor): Tensor {
    return reshape(mul(z, this.weight), [N, ...image]);
  }
}

/** Linear, so that its slope is its weight at every image. */
class D extends Module {
  readonly weight = tensor(w, [1, ...image], true);
  override forward(x: Tensor): Tensor {
    return sum(mul(x, this.weight), [1, 2, 3]);
  }
}

/** The penalties of some steps of D with R1. */
async function penalties(
  steps: number,
  r1Every: number,
  augment: (x: Tensor) => Tensor,
): Promise<number[]> {
  const g = new G(), d = new D(), still = { lr: 0, betas: [0, 0.9] } as const;
  const players = {
    G: g,
    D: d,
    optG: new Adam(g.parameters(), still),
    optD: new Adam(d.parameters(), still),
  };
  const found: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { penalty } = trainStep(players, {
      loss: losses.bce,
      dSteps: 1,
      penalties: { gp: 0, r1: 10, r1Every, drift: 0 },
      augment,
      batch: () => ({
        z: tensor(randoms(N * size, 3), [N, size]),
        real: tensor(randoms(N * size, 4), [N, ...image]),
        labels: 1,
      }),
    });
    found.push((await penalty!.read())[0]);
  }
  return found;
}

// R1 is r1 / 2 |dD/dx|^2; each r1Every-th step counts for all of them (Karras et al. 2020, section 3.1).
const squared = w.reduce((t, e) => t + e * e, 0);

Deno.test("R1 is half its weight times the squared slope, and counts for the steps without it", async () => {
  assertClose("each step", await penalties(2, 1, (x) => x), [5 * squared, 5 * squared]);
  const third = 3 * 5 * squared;
  assertClose("each third", await penalties(4, 3, (x) => x), [third, 0, 0, third]);
});

Deno.test("R1 takes the slope at the real images before augmentation", async () => {
  // D(3 x) has three times the slope of D.
  assertClose("scaled", await penalties(1, 1, (x) => scale(x, 3)), [9 * 5 * squared]);
  // Where a square is cut out of an image, its pixels have no slope.
  const cut = (x: Tensor) => augment(x, ["cutout"], key);
  const ones = tensor(new Float32Array(N * size).fill(1), [N, ...image]);
  const mask = await cut(ones).read();
  const kept = mask.reduce((t, m, i) => t + m * w[i % size] ** 2, 0) / N;
  assertClose("cut", await penalties(1, 1, cut), [5 * kept]);
});
