import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { full, mul, scale, square } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { PgganDiscriminator, PgganGenerator } from "../models/pggan.ts";
import { Adam } from "../nn/adam.ts";
import { Module } from "../nn/module.ts";
import { hostRandom } from "../nn/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { differences } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { losses } from "./losses.ts";
import { defaults, type TrainOptions } from "./options.ts";
import { validate } from "./validate.ts";
import { pggan } from "./pggan.ts";
import { type StepInput, trainStep } from "./step.ts";
import { drift, r1, r2, weightDecay, wganGp } from "./terms.ts";
await openGpu();

/** `D(x) = sum w x^2`, of which the slope is `2 w x`. */
class Quadratic extends Module {
  constructor(readonly w: Tensor) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return sum(mul(square(x), this.w), [1, 2, 3]);
  }
}

class Scaled extends Module {
  constructor(readonly w: Tensor) {
    super();
  }
  override forward(z: Tensor): Tensor {
    return mul(z, this.w);
  }
}

const shape = [2, 2, 2, 3], size = 24;

Deno.test("R1 is of the slope at the real images, through the augmentation, for as many steps as it stands", async () => {
  const x = randoms(size, 1), w = randoms(12, 2), real = tensor(x, shape);
  const D = new Quadratic(tensor(w, [1, 2, 2, 3], true)), G = new Scaled(tensor([1], [1], true));
  const adam = (net: Module) => new Adam(net.parameters(), { lr: 0, betas: [0, 0.9] });
  const { penalty } = trainStep({ G, D, optG: adam(G), optD: adam(D) }, {
    loss: losses.wgan,
    dSteps: 1,
    terms: { D: r1(0.7, 4), G: [] },
    augment: (x) => scale(x, 0.5),
    batch: () => ({ z: real, real, labels: 1 }),
  });
  // D(x / 2) = sum w x^2 / 4: its slope at x is w x / 2; the mean over two images of its square.
  const squares = x.reduce((t, v, i) => t + (w[i % 12] * v / 2) ** 2, 0) / 2;
  assertClose("penalty", await penalty!.read(), [0.7 / 2 * 4 * squares], { rtol: 1e-5, atol: 0 });
});

for (const name of ["bce", "wgan", "rsgan"]) {
  Deno.test(`R1 and R2 with ${name}: the penalty and both gradients are those of a float64 reference`, async () => {
    const x = randoms(size, 1), z = randoms(size, 2), w = randoms(12, 3), v = [0.7], gamma = 0.9;
    const D = new Quadratic(tensor(w, [1, 2, 2, 3], true)), G = new Scaled(tensor(v, [1], true));
    const adam = (net: Module) => new Adam(net.parameters(), { lr: 0, betas: [0, 0.9] });
    const optG = adam(G), optD = adam(D);
    const { penalty } = trainStep({ G, D, optG, optD }, {
      loss: losses[name],
      dSteps: 1,
      terms: { D: [...r1(gamma), ...r2(gamma)], G: [] },
      augment: (x) => scale(x, 0.5),
      batch: () => ({ z: tensor(z, shape), real: tensor(x, shape), labels: 1 }),
    });
    // Of the augmented image x / 2: D = sum w x^2 / 4, its slope at x is w x / 2.
    const on = (x: number[], w: number[]) =>
      [0, 1].map((n) => w.reduce((t, wi, i) => t + wi * x[12 * n + i] ** 2 / 4, 0));
    const softplus = (x: number) => Math.log1p(Math.exp(x));
    const each = (real: number[], fake: number[], f: (r: number, f: number) => number) =>
      real.reduce((t, r, n) => t + f(r, fake[n]) / 2, 0);
    const [ofD, ofG]: ((r: number, f: number) => number)[] = {
      bce: [
        (r: number, f: number) => softplus(-r) + softplus(f),
        (_: number, f: number) => softplus(-f),
      ],
      wgan: [(r: number, f: number) => f - r, (_: number, f: number) => -f],
      rsgan: [(r: number, f: number) => softplus(f - r), (r: number, f: number) => softplus(r - f)],
    }[name]!;
    const fakes = (v: number[]) => z.map((u) => u * v[0]);
    const slopes = (w: number[]) =>
      [x, fakes(v)].flat().reduce((t, xi, i) => t + (w[i % 12] * xi / 2) ** 2, 0) / 2;
    const lossD = ([w]: number[][]) => each(on(x, w), on(fakes(v), w), ofD) + gamma / 2 * slopes(w);
    const lossG = ([v]: number[][]) => each(on(x, w), on(fakes(v), w), ofG);
    assertClose("penalty", await penalty!.read(), [gamma / 2 * slopes(w)]);
    // With a decay of 0 the first moments are the gradients.
    assertClose("dD", await optD.moments[0].m.read(), differences(lossD, [w], 0, 1e-5));
    assertClose("dG", await optG.moments[0].m.read(), differences(lossG, [v], 0, 1e-5));
  });
}

const sizes = { nz: 4, fmapBase: 32, fmapMax: 8, norm: "pixel", weights: "equalised" };
const stage = { resolution: 8, fading: false, alpha: 1 };

/** The gradients of D and G in one step of 8 images, as the optimisers are given them, and the losses. */
async function gradients(accumulate: number, more: Partial<StepInput> = {}) {
  const options = { ...sizes, minibatch: "none" }, random = hostRandom(1);
  const G = new PgganGenerator(options, random, stage);
  const D = new PgganDiscriminator(options, random, stage);
  const adam = (net: Module) => new Adam(net.parameters(), { lr: 1e-3, betas: [0, 0.9] });
  const optG = adam(G), optD = adam(D), seen: string[] = [];
  const made = trainStep({ G, D, optG, optD }, {
    loss: losses.bce,
    dSteps: 2,
    terms: {
      D: [...r1(0.5), ...r2(0.2), ...drift(0.1), ...weightDecay(0, 0.1), ...wganGp(2)],
      G: [],
    },
    accumulate,
    batch: (i) => ({
      z: tensor(randoms(32, i), [8, 4]),
      real: tensor(randoms(8 * 192, 5 + i), [8, 8, 8, 3]),
      labels: tensor(randoms(8, 7).map((v) => 0.9 + v / 20), [8]),
      mix: tensor(randoms(8, 8).map(Math.abs), [8]),
    }),
    ...more,
  }, ({ network, gradients }) => {
    seen.push(network);
    return gradients;
  });
  assertEquals(seen, ["D", "D", "G"]);
  const moments = [optD, optG].flatMap(({ moments }) => moments.map(({ m }) => m.read()));
  const values = ["dReal", "dFake", "penalty", "g"] as const;
  return {
    grads: await Promise.all(moments), // with a decay of 0 these are the last gradients
    losses: await Promise.all(values.map(async (name) => (await made[name]!.read())[0])),
  };
}

Deno.test("gradients of micro-batches add up to those of the batch, in networks without batch statistics", async () => {
  const whole = await gradients(1);
  for (const accumulate of [2, 4]) {
    const { grads, losses } = await gradients(accumulate);
    assertClose("losses", losses, whole.losses, { rtol: 1e-4, atol: 1e-5 });
    for (const [i, g] of grads.entries()) {
      assertClose(`gradient ${i}`, g, whole.grads[i], { rtol: 2e-3, atol: 2e-4 });
    }
  }
  assertThrows(() => trainStepOf(3), RangeError, "no 3 micro-batches");
});

function trainStepOf(accumulate: number): void {
  const net = new Scaled(tensor([1], [1], true));
  const opt = new Adam(net.parameters(), { lr: 0, betas: [0, 0.9] });
  trainStep({ G: net, D: net, optG: opt, optD: opt }, {
    ...{ loss: losses.wgan, dSteps: 1, accumulate },
    batch: () => ({ z: tensor([1, 2], [2]), real: tensor([1, 2], [2]), labels: 1 }),
  });
}

Deno.test("what a step is given back for its gradients is what its optimisers take", async () => {
  const w = tensor([1], [1], true), v = tensor([2], [1], true);
  const G = new Scaled(w), D = new Quadratic(v), x = tensor(randoms(size, 1), shape);
  const adam = (net: Module) => new Adam(net.parameters(), { lr: 1, betas: [0, 0] });
  const optG = adam(G), optD = adam(D);
  const input = { loss: losses.wgan, dSteps: 1, batch: () => ({ z: x, real: x, labels: 1 }) };
  const given = { D: 3, G: -5 };
  trainStep(
    { G, D, optG, optD },
    input,
    ({ network, gradients }) => full(gradients.shape, given[network]),
  );
  assertEquals([...await optD.moments[0].m.read(), ...await optG.moments[0].m.read()], [3, -5]);
});

Deno.test("a batch that has no micro-batches of one size is refused, at each level that networks grow to", () => {
  const options = (more: Partial<TrainOptions>) => ({
    ...defaults,
    recipe: "",
    preset: "",
    ...more,
  });
  assertEquals(validate(options({ accumulate: 4 })), undefined);
  for (const accumulate of [3, 64]) {
    assertStringIncludes(
      validate(options({ accumulate }))!,
      `--accumulate ${accumulate}: a batch of 64`,
    );
  }
  const uneven = options({ batch: 24, accumulate: 4, minibatch: "stddev" });
  assertStringIncludes(validate(uneven)!, "a multiple of 4");
  const growing = options({ ...pggan.presets.default.options, resolution: 128 });
  assertEquals(pggan.validate!({ ...growing, accumulate: 8 }), undefined); // 16 images at 128 pixels
  assertStringIncludes(pggan.validate!({ ...growing, accumulate: 16 })!, "a batch of 16");
});

Deno.test("each pass of a step is augmented by a number of its own", () => {
  for (const [name, accumulate] of [["bce", 1], ["bce", 2], ["rsgan", 2]] as const) {
    const D = new Quadratic(tensor(randoms(12, 2), [1, 2, 2, 3], true));
    const G = new Scaled(tensor([1], [1], true)), passes: number[] = [];
    const adam = (net: Module) => new Adam(net.parameters(), { lr: 0, betas: [0, 0.9] });
    const four = () => tensor(randoms(2 * size, 1), [4, 2, 2, 3]);
    trainStep({ G, D, optG: adam(G), optD: adam(D) }, {
      ...{ loss: losses[name], dSteps: 2, accumulate },
      terms: { D: r1(0.7), G: [] },
      augment: (x, pass) => {
        passes.push(pass);
        return x;
      },
      batch: () => ({ z: four(), real: four(), labels: 1 }),
    });
    const each = 2 * 2 + (name === "rsgan" ? 2 : 1); // D's two steps, and G's
    assertEquals(passes.length, accumulate * each, name);
    assertEquals(new Set(passes).size, passes.length, `${name}: ${passes}`);
  }
});
