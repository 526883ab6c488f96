/** R3GAN as a whole, held against PyTorch: tests/oracle/r3gan.py says what the fixture holds. */
import { assert, assertEquals } from "@std/assert";
import { add, scale } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { R3ganDiscriminator, R3ganGenerator, type R3ganOptions } from "../models/r3gan.ts";
import { Adam } from "../nn/adam.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { TRAINING } from "../nn/context.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import { hostRandom } from "../nn/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { losses } from "../train/losses.ts";
import { slopePenalty } from "../train/penalties.ts";
import { trainStep } from "../train/step.ts";
import { r1, r2 } from "../train/terms.ts";
import { oracle, prefixed } from "./oracle.ts";
import { assertClose } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const N = 4, R = 16, nz = 6, STEPS = 10;
const { array, begin, entries, fromNCHW, latents, reals } = await oracle("r3gan", { N, R, nz });
const options: R3ganOptions = {
  ...{ resolution: R, nz, fmapBase: 32, fmapMax: 8, blocks: 2, groupWidth: 4 },
};

/** The networks as the fixture begins, and what trains them. */
function players() {
  const G = new R3ganGenerator(options, hostRandom(0));
  const D = new R3ganDiscriminator(options, hostRandom(1));
  begin(G, D);
  const adam = (net: Module) => new Adam(net.parameters(), { lr: 1e-3, betas: [0, 0.9] });
  return { G, D, optG: adam(G), optD: adam(D) };
}
const close = { rtol: 1e-4, atol: 1e-5 };

Deno.test("R3GAN's names and shapes in a checkpoint are PyTorch's", async () => {
  const { G, D } = players();
  const ours = await toEntries([...prefixed("init/G.", G), ...prefixed("init/D.", D)]);
  const shapes = (all: typeof ours) =>
    [...all].filter(([name]) => name.startsWith("init/")).map(([name, { shape }]) =>
      `${name} ${shape}`
    ).sort();
  assertEquals(shapes(ours), shapes(entries));
});

Deno.test("R3GAN's outputs, gradients, R1's and R2's are PyTorch's", async () => {
  const { G, D } = players(), loss = losses.rsgan;
  const real = reals(0), fake = G.forward(latents(0), TRAINING);
  const onReal = D.forward(real, TRAINING), onFake = D.forward(fake, TRAINING);
  assertClose("fake", await fake.read(), fromNCHW(array("out/fake")), close);
  assertClose("logits of real", await onReal.read(), array("out/logits_real"), close);
  assertClose("logits of fake", await onFake.read(), array("out/logits_fake"), close);

  const check = async (folder: string, prefix: string, net: Module, y: Tensor) => {
    const named = prefixed(`${prefix}.`, net);
    // Penalties depend on all weights but, where D is linear, not on biases: give each a path.
    const anchored = named.reduce((y, [, t]) => add(y, scale(sum(t), 0)), y);
    const grads = grad(anchored, named.map(([, t]) => t));
    for (const [name, { data }] of await toEntries(named.map(([name], i) => [name, grads[i]]))) {
      const expected = array(`${folder}/${name}`), top = Math.max(...expected.map(Math.abs));
      assertClose(`${folder}/${name}`, data as Float32Array, expected, {
        rtol: 1e-4,
        atol: 5e-5 * top + 1e-7,
      });
    }
  };
  const ofD = add(loss.real(onReal, 1, onFake), loss.fake(onFake, onReal));
  await check("grad", "D", D, ofD);
  await check("grad", "G", G, loss.G(onFake, onReal));
  await check("r1", "D", D, slopePenalty(onReal, real));
  await check("r2", "D", D, slopePenalty(onFake, fake));
});

/** From `start` to `end` by half a cosine over eight steps. */
function cosine(t: number, start: number, end: number): number {
  return start + (end - start) * (1 - Math.cos(Math.PI * Math.min(1, t / 8))) / 2;
}

Deno.test("ten steps of R3GAN are PyTorch's: losses and weights", async () => {
  const own = players(), got: number[] = [];
  let t = 0;
  const moving = (start: number, end: number) => () => cosine(t, start, end);
  for (; t < STEPS; t++) {
    const { dReal, dFake, g, penalty } = trainStep(own, {
      loss: losses.rsgan,
      dSteps: 1,
      terms: { D: [...r1(moving(50, 5)), ...r2(moving(50, 5))], G: [] },
      rates: { G: moving(1e-3, 2.5e-4), D: moving(1e-3, 2.5e-4) },
      beta2: moving(0.9, 0.99),
      batch: () => ({ z: latents(t), real: reals(t), labels: 1 }),
    });
    for (const value of [add(dReal, dFake), g, penalty!]) got.push(await value.item());
  }
  assertClose("losses", got, array("losses"), { rtol: 1e-4, atol: 1e-5 });
  for (const [prefix, net] of [["G", own.G], ["D", own.D]] as const) {
    for (const [name, { data }] of await toEntries(prefixed(`final/${prefix}.`, net))) {
      assertClose(name, data as Float32Array, array(name), { rtol: 2e-4, atol: 5e-5 });
    }
  }
});

Deno.test("R3GAN begins as the paper has it: blocks add nothing, the rest keeps variances", async () => {
  const wide = { resolution: 8, nz: 64, fmapBase: 128, fmapMax: 64, blocks: 2, groupWidth: 16 };
  const depth = 4, gain = Math.sqrt(2 / 1.04) * depth ** -0.25;
  const G = new R3ganGenerator(wide, hostRandom(0)),
    D = new R3ganDiscriminator(wide, hostRandom(1));
  for (const [name, t] of [...prefixed("G.", G), ...prefixed("D.", D)]) {
    const values = await t.read();
    const found = Math.sqrt(values.reduce((t, v) => t + v * v, 0) / values.length);
    const fanIn = name === "G.basis.weight" ? 1 : values.length / t.shape.at(-1)!;
    const factor = /bias$|conv3/.test(name) ? 0 : /conv[12]/.test(name) ? gain : 1;
    const expected = factor / Math.sqrt(fanIn), within = 4 / Math.sqrt(2 * values.length);
    assert(Math.abs(found - expected) <= within * expected, `${name}: ${found}, not ${expected}`);
  }
});
