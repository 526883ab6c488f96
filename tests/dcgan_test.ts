/** DCGAN as a whole, held against PyTorch: tests/oracle/dcgan.py says what the fixture holds. */
import { sum } from "../kernels/reduce.ts";
import { add, full } from "../kernels/elementwise.ts";
import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import { Adam } from "../nn/adam.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { TRAINING } from "../nn/context.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import { hostRandom } from "../nn/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { losses } from "../train/losses.ts";
import { trainStep } from "../train/step.ts";
import { oracle, prefixed } from "./oracle.ts";
import { assertClose } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const N = 6, R = 16, nz = 8;
const { array, begin, fromNCHW, latents, reals } = await oracle("dcgan", { N, R, nz });

function nets() {
  const options = { resolution: R, nz, ngf: 4, ndf: 4 }, random = hostRandom(0);
  const G = new DcganGenerator(options, random), D = new DcganDiscriminator(options, random);
  begin(G, D);
  return { G, D };
}
const close = { rtol: 1e-4, atol: 2e-6 };

Deno.test("DCGAN's outputs and gradients are PyTorch's", async () => {
  const { G, D } = nets(), loss = losses.bce, real = reals(0);
  const fake = G.forward(latents(0), TRAINING);
  const logitsReal = D.forward(real, TRAINING), logitsFake = D.forward(fake, TRAINING);
  assertClose("fake", await fake.read(), fromNCHW(array("out/fake")), close);
  assertClose("logits of real", await logitsReal.read(), array("out/logits_real"), close);
  assertClose("logits of fake", await logitsFake.read(), array("out/logits_fake"), close);
  for (const [prefix, net] of [["G.", G], ["D.", D]] as const) {
    const stats = prefixed(prefix, net).filter(([, t]) => !t.isParam);
    for (const [name, t] of stats) {
      assertClose(name, await t.read(), array(`stats/${name}`), close);
    }
  }
  const check = async (prefix: string, net: Module, y: Tensor) => {
    const named = prefixed(prefix, net).filter(([, t]) => t.isParam);
    const grads = grad(y, named.map(([, t]) => t));
    const got = await toEntries(named.map(([name], i) => [name, grads[i]] as const));
    for (const [name, { data }] of got) {
      const expected = array(`grad/${name}`), top = Math.max(...expected.map(Math.abs));
      assertClose(`gradient of ${name}`, data as Float32Array, expected, {
        rtol: 1e-4,
        atol: 2e-5 * top,
      });
    }
  };
  await check("D.", D, add(loss.real(logitsReal, full([1], 1)), loss.fake(logitsFake)));
  await check("G.", G, loss.G(logitsFake));
  const [dx] = grad(sum(logitsReal), [real]);
  assertClose("gradient of real", await dx.read(), fromNCHW(array("grad/real")), close);
});

Deno.test("ten steps of DCGAN are PyTorch's: losses, weights, running statistics", async () => {
  const { G, D } = nets(), adam = { lr: 2e-3, betas: [0.5, 0.999] as const };
  const players = {
    G,
    D,
    optG: new Adam(G.parameters(), adam),
    optD: new Adam(D.parameters(), adam),
  };
  const got: number[] = [];
  for (let t = 0; t < 10; t++) {
    const { dReal, dFake, g } = trainStep(players, {
      loss: losses.bce,
      dSteps: 1,
      batch: () => ({ z: latents(t), real: reals(t), labels: 1 }),
    });
    for (const value of [dReal, dFake, g]) got.push((await value.read())[0]);
  }
  assertClose("losses", got, array("losses"), { rtol: 2e-5, atol: 2e-6 });
  for (const [prefix, net] of [["G.", G], ["D.", D]] as const) {
    for (const [name, { data }] of await toEntries(prefixed(prefix, net))) {
      assertClose(name, data as Float32Array, array(`final/${name}`), { rtol: 1e-4, atol: 2e-5 });
    }
  }
});

Deno.test("the losses are the papers'", async () => {
  const r = tensor(array("loss_cases/real"), [6]), f = tensor(array("loss_cases/fake"), [6]);
  for (
    const [name, label] of [["bce_smooth", 0.9], ["lsgan", 1], ["hinge", 1], ["wgan", 1]] as const
  ) {
    const loss = losses[name.replace("_smooth", "")];
    const D = add(loss.real(r, full([1], label)), loss.fake(f));
    assertClose(`${name} D`, await D.read(), array(`loss_cases/${name}.D`), {
      rtol: 2e-6,
      atol: 1e-6,
    });
    assertClose(`${name} G`, await loss.G(f).read(), array(`loss_cases/${name}.G`), {
      rtol: 2e-6,
      atol: 1e-6,
    });
  }
});
