/** PGGAN's networks while a level is faded in, held against PyTorch: see tests/oracle/pggan.py. */
import { assertEquals } from "@std/assert";
import { add, scale } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { PgganDiscriminator, PgganGenerator, type PgganOptions } from "../models/pggan.ts";
import { Adam } from "../nn/adam.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { TRAINING } from "../nn/context.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import { hostRandom } from "../nn/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { losses } from "../train/losses.ts";
import { gradientPenalty, slopePenalty } from "../train/penalties.ts";
import { trainStep } from "../train/step.ts";
import { drift, wganGp } from "../train/terms.ts";
import { oracle, prefixed } from "./oracle.ts";
import { assertClose } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const N = 8, R = 8, nz = 5, STEPS = 10;
const { array, begin, fromNCHW, latents, reals } = await oracle("pggan", { N, R, nz });
const options: PgganOptions = {
  nz,
  fmapBase: 16,
  fmapMax: 6,
  norm: "pixel",
  weights: "equalised",
  minibatch: "stddev",
};

function nets() {
  const stage = { resolution: R, fading: true, alpha: 0.3 }, random = hostRandom(0);
  const G = new PgganGenerator(options, random, stage);
  const D = new PgganDiscriminator(options, random, stage);
  begin(G, D);
  return { G, D };
}
const mixes = (t: number) => tensor(array("mix").slice(t * N, (t + 1) * N), [N]);
const close = { rtol: 1e-4, atol: 1e-5 };

/** Holds the gradients of `y` for a network's parameters against those in a folder of the fixture. */
async function check(folder: string, name: string, net: Module, y: Tensor): Promise<void> {
  const named = prefixed(`${name}.`, net), params = named.map(([, t]) => t);
  // The penalties do not depend on the last bias: give each a path.
  const anchored = params.reduce((t, p) => add(t, scale(sum(p), 0)), y);
  const grads = grad(anchored, params);
  const got = await toEntries(named.map(([name], i) => [name, grads[i]] as const));
  for (const [name, { data }] of got) {
    const expected = array(`${folder}/${name}`), top = Math.max(...expected.map(Math.abs));
    const within = { rtol: 1e-4, atol: 2e-5 * top + 1e-7 };
    assertClose(`${folder} of ${name}`, data as Float32Array, expected, within);
  }
}

Deno.test("PGGAN's outputs and gradients at alpha 0.3 are PyTorch's", async () => {
  const { G, D } = nets(), loss = losses.wgan, real = reals(0);
  const fake = G.forward(latents(0), TRAINING);
  const onReal = D.forward(real, TRAINING), onFake = D.forward(fake, TRAINING);
  assertClose("fake", await fake.read(), fromNCHW(array("out/fake")), close);
  assertClose("logits of real", await onReal.read(), array("out/logits_real"), close);
  assertClose("logits of fake", await onFake.read(), array("out/logits_fake"), close);
  await check("grad", "D", D, add(loss.real(onReal, mixes(0), onFake), loss.fake(onFake, onReal)));
  await check("grad", "G", G, loss.G(onFake));
  const [dx] = grad(sum(onReal), [real]);
  assertClose("gradient of real", await dx.read(), fromNCHW(array("grad/real")), close);
});

Deno.test("WGAN-GP's and R1's penalty of PGGAN's D, and their gradients, are PyTorch's", async () => {
  const { G, D } = nets(), real = reals(0), fake = G.forward(latents(0), TRAINING);
  const penalty = gradientPenalty((x) => D.forward(x, TRAINING), real, fake, mixes(0));
  assertClose("penalty", await penalty.read(), array("penalty"), close);
  await check("penalty", "D", D, penalty);
  await check("r1", "D", D, slopePenalty(D.forward(real, TRAINING), real));
});

Deno.test("ten steps of PGGAN are PyTorch's: losses, penalties, weights", async () => {
  const { G, D } = nets(), adam = { lr: 1e-3, betas: [0, 0.99] as const };
  const optG = new Adam(G.parameters(), adam), optD = new Adam(D.parameters(), adam);
  const got: number[] = [];
  for (let t = 0; t < STEPS; t++) {
    const { dReal, dFake, g, penalty } = trainStep({ G, D, optG, optD }, {
      loss: losses.wgan,
      dSteps: 1,
      terms: { D: [...drift(1e-3), ...wganGp(10)], G: [] },
      batch: () => ({ z: latents(t), real: reals(t), labels: mixes(t), mix: mixes(t) }),
    });
    for (const value of [dReal, dFake, g, penalty!]) got.push((await value.read())[0]);
  }
  assertClose("losses", got, array("losses"), { rtol: 5e-5, atol: 2e-6 });
  for (const [name, net] of [["G", G], ["D", D]] as const) {
    for (const [path, { data }] of await toEntries(prefixed(`${name}.`, net))) {
      assertClose(path, data as Float32Array, array(`final/${path}`), { rtol: 1e-4, atol: 2e-5 });
    }
  }
});

Deno.test("every kind of network has the shapes of its stage", () => {
  const random = hostRandom(0), z = tensor(new Float32Array(4 * nz).fill(0.5), [4, nz]);
  for (const norm of ["pixel", "batch", "none"]) {
    for (const weights of ["equalised", "spectral", "plain"]) {
      for (const minibatch of ["stddev", "discrimination", "none"]) {
        for (const [resolution, fading] of [[4, false], [8, true], [16, false]] as const) {
          const kind = { ...options, norm, weights, minibatch };
          const stage = { resolution, fading, alpha: 0.5 };
          const x = new PgganGenerator(kind, random, stage).forward(z, TRAINING);
          assertEquals(x.shape, [4, resolution, resolution, 3]);
          assertEquals(new PgganDiscriminator(kind, random, stage).forward(x, TRAINING).shape, [4]);
        }
      }
    }
  }
});
