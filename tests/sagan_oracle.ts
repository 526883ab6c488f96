/**
 * SAGAN as a whole, held against PyTorch: tests/oracle/sagan.py says what the fixtures hold.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { add, scale } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { SaganDiscriminator, SaganGenerator } from "../models/sagan.ts";
import type { SaganOptions } from "../models/sagan_steps.ts";
import { Adam } from "../nn/adam.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { EVALUATION, TRAINING } from "../nn/context.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom } from "../nn/random.ts";
import { SelfAttention } from "../nn/self_attention.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { losses } from "../train/losses.ts";
import { slopePenalty } from "../train/penalties.ts";
import { trainStep } from "../train/step.ts";
import { r1 } from "../train/terms.ts";
import { oracle, prefixed } from "./oracle.ts";
import { assertClose } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const N = 4, R = 16, nz = 6, STEPS = 10;
const close = { rtol: 1e-4, atol: 1e-5 };
const shared: SaganOptions = {
  resolution: R,
  nz,
  ngf: 4,
  ndf: 2,
  spectralNorm: true,
  attention: "8",
  attentionReduction: 2,
  attentionValues: "half",
  attentionPool: true,
  normD: "none",
  minibatch: "discrimination",
  dropout: 0,
};

/** Registers the checks of the networks of the fixture `name`, which differ from the others by `changes`. */
export async function checkSagan(name: string, changes: Partial<SaganOptions> = {}): Promise<void> {
  const options = { ...shared, ...changes };
  const { array, begin, entries, fromNCHW, latents, reals } = await oracle(name, { N, R, nz });
  /** The networks as the fixture begins, and what trains them. */
  function players() {
    const G = new SaganGenerator(options, hostRandom(0));
    const D = new SaganDiscriminator(options, hostRandom(1));
    begin(G, D);
    const optG = new Adam(G.parameters(), { lr: 1e-3, betas: [0, 0.9] });
    const optD = new Adam(D.parameters(), { lr: 4e-3, betas: [0, 0.9] });
    return { G, D, optG, optD, spectraG: new PowerIteration(G), spectraD: new PowerIteration(D) };
  }
  Deno.test(`${name}: names and shapes in a checkpoint are PyTorch's`, async () => {
    const { G, D } = players();
    const ours = await toEntries([...prefixed("init/G.", G), ...prefixed("init/D.", D)]);
    const shapes = (all: typeof ours) =>
      [...all].filter(([name]) => name.startsWith("init/")).map(([name, { shape }]) =>
        `${name} ${shape}`
      ).sort();
    assertEquals(shapes(ours), shapes(entries));
  });

  Deno.test(`${name}: spectral vectors, outputs, map, gradients and R1's are PyTorch's`, async () => {
    const { G, D, spectraG, spectraD } = players(), loss = losses.hinge;
    spectraG.step();
    spectraD.step();
    for (const [name, net] of [["G", G], ["D", D]] as const) {
      const vectors = prefixed(`spectra/${name}.`, net).filter(([path]) => /_[uv]$/.test(path));
      for (const [path, { data }] of await toEntries(vectors)) {
        assertClose(path, data as Float32Array, array(path), { rtol: 1e-5, atol: 1e-6 });
      }
    }
    const real = reals(0), fake = G.forward(latents(0), TRAINING);
    const onReal = D.forward(real, TRAINING), onFake = D.forward(fake, TRAINING);
    assertClose("fake", await fake.read(), fromNCHW(array("out/fake")), close);
    assertClose("logits of real", await onReal.read(), array("out/logits_real"), close);
    assertClose("logits of fake", await onFake.read(), array("out/logits_fake"), close);

    const check = async (folder: string, prefix: string, net: Module, y: Tensor) => {
      const named = prefixed(`${prefix}.`, net).filter(([, t]) => t.isParam);
      // R1 does not depend on the last bias: give each parameter a path.
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
    const one = tensor([1], [1]);
    await check("grad", "D", D, add(loss.real(onReal, one), loss.fake(onFake)));
    await check("grad", "G", G, loss.G(onFake));
    await check("r1", "D", D, slopePenalty(onReal, real));
    const [dx] = grad(sum(onReal), [real]);
    assertClose("gradient of real", await dx.read(), fromNCHW(array("grad/real")), close);

    const attention = [...G.namedModules()].map(([, module]) => module).find((module) =>
      module instanceof SelfAttention
    )!;
    let map: Tensor | undefined;
    attention.forward = (x) => {
      map = attention.map(x);
      return SelfAttention.prototype.forward.call(attention, x);
    };
    G.forward(latents(0), EVALUATION);
    assertClose("map", (await map!.read()).subarray(0, 64 * 16), array("map/G"), close);
  });

  Deno.test(`${name}: ten steps with R1 are PyTorch's: losses, weights, vectors, statistics`, async () => {
    const own = players(), got: number[] = [];
    for (let t = 0; t < STEPS; t++) {
      const { dReal, dFake, g, penalty } = trainStep(own, {
        loss: losses.hinge,
        dSteps: 1,
        terms: { D: r1(1), G: [] },
        batch: () => ({ z: latents(t), real: reals(t), labels: 1 }),
      });
      for (const value of [dReal, dFake, g, penalty!]) got.push((await value.read())[0]);
    }
    assertClose("losses", got, array("losses"), { rtol: 1e-4, atol: 1e-5 });
    for (const [prefix, net] of [["G", own.G], ["D", own.D]] as const) {
      for (const [name, { data }] of await toEntries(prefixed(`final/${prefix}.`, net))) {
        assertClose(name, data as Float32Array, array(name), { rtol: 2e-4, atol: 5e-5 });
      }
    }
  });
}
