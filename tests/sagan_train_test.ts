/** SAGAN's training: resume with all parts, memory, what options change, networks of each resolution. */
import { join } from "@std/path";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { idle } from "../gpu/record.ts";
import { SaganDiscriminator, SaganGenerator } from "../models/sagan.ts";
import { attentionSizes } from "../models/sagan_steps.ts";
import { EVALUATION } from "../nn/context.ts";
import { hostRandom } from "../nn/random.ts";
import { noGrad } from "../tensor/op.ts";
import { scale } from "../kernels/elementwise.ts";
import { scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { losses } from "../train/losses.ts";
import { trainStep } from "../train/step.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { validate } from "../train/validate.ts";
import { plan } from "../train/plan.ts";
import { sagan } from "../train/sagan.ts";
import { loadState, newState, saveState } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { assertSame, randoms } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const options: TrainOptions = {
  ...defaults,
  ...sagan.presets.default.options,
  recipe: "sagan",
  preset: "default",
  resolution: 16,
  batch: 4,
  nz: 8,
  ngf: 4,
  ndf: 4,
};
/** All parts at once; what needs second derivatives is apart, and goes without batch norm. */
const everything: Record<string, Partial<TrainOptions>> = {
  "the thesis's parts": {
    ...sagan.presets.thesis.options,
    resolution: 16,
    attention: "8,4",
    dropout: 0.25,
    augment: "color,translation,cutout",
    l1: 1e-4,
    l2: 1e-4,
    dSteps: 2,
    ema: 0.99,
  },
  "penalties on slopes": { gp: 10, r1: 1, drift: 1e-3, loss: "ragan", minibatch: "discrimination" },
  "residual blocks": {
    residual: true,
    attention: "8,4",
    dropout: 0.25,
    r1: 1,
    minibatch: "stddev",
    batch: 8,
    accumulate: 2,
  },
  "no parts": { attention: "none", spectralNorm: false, minibatch: "stddev" },
};
const R = options.resolution, dataset = datasetOf(R);

for (const [name, changed] of Object.entries(everything)) {
  const own: TrainOptions = { ...options, ...changed };
  Deno.test(`SAGAN with ${name}: a resumed run is the unbroken run, bit for bit`, async () => {
    assertEquals([validate(own), sagan.validate!(own)], [undefined, undefined]);
    const folder = await Deno.makeTempDir();
    try {
      const steps = (state: ReturnType<typeof newState>, n: number) => {
        for (let i = 0; i < n; i++) scoped(() => void advance(state, dataset));
        return state;
      };
      const straight = steps(newState(sagan, own), 4);
      await saveState(steps(newState(sagan, own), 2), join(folder, "half"));
      const second = { ...newState(sagan, { ...own, seed: 77 }), options: own }; // weights come from the file
      await loadState(second, join(folder, "half"));
      await saveState(straight, join(folder, "a"));
      await saveState(steps(second, 2), join(folder, "b"));
      const [a, b] = ["a", "b"].map((name) => Deno.readFileSync(join(folder, name)));
      assertSame(b, a, "the resumed run's checkpoint");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test(`SAGAN with ${name}: once warm, a step allocates nothing`, async () => {
    const state = newState(sagan, own);
    const step = async () => {
      scoped(() => void advance(state, dataset));
      await idle();
      const { buffers, textures, bytes, pipelines, bindGroups } = gpu().counters;
      return { buffers, textures, bytes, pipelines, bindGroups };
    };
    await step();
    const second = await step();
    for (let i = 0; i < 3; i++) assertEquals(await step(), second);
  });
}

Deno.test("each option changes the run", async () => {
  const runs: Record<string, Partial<TrainOptions>> = {
    "as it is": {},
    attention: { attention: "4" },
    "attention none": { attention: "none" },
    reduction: { attentionReduction: 1 },
    values: { attentionValues: "full" },
    pool: { attentionPool: false },
    "spectral norm": { spectralNorm: false },
    residual: { residual: true },
    "norm in D": { normD: "batch" },
    discrimination: { minibatch: "discrimination" },
    stddev: { minibatch: "stddev" },
    dropout: { dropout: 0.5 },
    color: { augment: "color" },
    cutout: { augment: "cutout" },
    translation: { augment: "translation" },
    gp: { gp: 1 },
    r1: { r1: 1 },
    drift: { drift: 1 },
    l1: { l1: 0.1 },
    l2: { l2: 0.1 },
    rsgan: { loss: "rsgan" },
    rahinge: { loss: "rahinge" },
    smoothing: { loss: "bce", labelSmoothing: 0.5 },
    bce: { loss: "bce" },
    "rate of G": { lrG: 2e-4 },
    "rate of D": { lrD: 3e-4 },
    "steps of D": { dSteps: 2 },
    mirror: { mirror: false },
    seed: { seed: 1 },
  };
  const seen = new Map<string, string>();
  for (const [name, changed] of Object.entries(runs)) {
    const own = { ...options, ...changed }, state = newState(sagan, own);
    for (let i = 0; i < 2; i++) scoped(() => void advance(state, dataset));
    const output = [...state.D.named()].find(([path]) => path.startsWith("output.weight"))![1];
    const weights = String((await output.read()).subarray(0, 64));
    assert(!weights.includes("NaN"), name);
    assert(!seen.has(weights), `${name} gives what ${seen.get(weights)} gives`);
    seen.set(weights, name);
  }
});

Deno.test("lazy R1: one step counts for as many as it stands for, the others have none", async () => {
  const weights = async (...courses: Partial<TrainOptions>[]) => {
    const state = newState(sagan, options);
    for (const changed of courses) {
      Object.assign(state, { options: { ...options, ...changed } });
      scoped(() => void advance(state, dataset));
    }
    const output = [...state.D.named()].find(([path]) => path.startsWith("output.weight"))![1];
    return await output.read();
  };
  const lazy = { r1: 4, r1Every: 3 };
  const seen = await weights(lazy, lazy, lazy, lazy);
  assertEquals(seen, await weights({ r1: 12 }, {}, {}, { r1: 12 }));
  assert(String(seen) !== String(await weights({ r1: 12 }, {}, {}, {})));
});

Deno.test("smoothed targets are uniform from the option's value to 1, for real images alone", async () => {
  const own = { ...options, loss: "lsgan", labelSmoothing: 0.8, batch: 512, ngf: 1, ndf: 1, nz: 1 };
  const state = newState(sagan, own), { D } = state, forward = D.forward;
  D.forward = (x, training) => scale(forward.call(D, x, training), 0);
  const { dReal, dFake, g } = scoped(() => advance(state, dataset));
  const [real, fake, ofG] = await Promise.all([dReal, dFake, g].map((t) => t.read()));
  // E t^2 / 2 for t uniform in [0.8, 1]
  assertAlmostEquals(real[0], (1 - 0.8 ** 3) / 0.2 / 6, 0.01);
  assertEquals([fake[0], ofG[0]], [0, 0.5]);
});

Deno.test("D sees no image that has not been augmented, and each pass has a number of its own", () =>
  scoped(() => {
    for (const [loss, dSteps, passes] of [["hinge", 2, 5], ["rahinge", 1, 4]] as const) {
      const state = newState(sagan, { ...options, minibatch: "none" }), seen: number[] = [];
      const shown: Tensor[] = [], changed: Tensor[] = [];
      const { D } = state, forward = D.forward;
      D.forward = (x, training) => {
        shown.push(...x.node?.op === "concat" ? x.node.inputs : [x]); // real and fake ones
        return forward.call(D, x, training);
      };
      trainStep(state, {
        loss: losses[loss],
        dSteps,
        augment: (x, pass) => {
          seen.push(pass);
          return changed[changed.push(scale(x, 0.5)) - 1];
        },
        batch: (i) => ({
          z: tensor(randoms(4 * 8, i), [4, 8]),
          real: tensor(randoms(4 * R * R * 3, i), [4, R, R, 3]),
          labels: 1,
        }),
      });
      assertEquals([shown.length, new Set(seen).size], [passes, passes], `${loss}: ${seen}`);
      assert(shown.every((x) => changed.includes(x)), loss);
    }
  }));

for (const resolution of [8, 32, 64, 128]) {
  Deno.test(`SAGAN of ${resolution} pixels makes and evaluates such images`, async () => {
    const own = { ...options, resolution, ngf: 1, ndf: 1, attention: "32,4" };
    const G = new SaganGenerator(own, hostRandom(1)),
      D = new SaganDiscriminator(own, hostRandom(2));
    const at = (net: SaganGenerator | SaganDiscriminator) =>
      net.blocks.flatMap(({ attention }, i) => attention ? [i] : []);
    const n = Math.log2(resolution / 4), top = Math.min(3, n - 1);
    assertEquals(at(G), top === 0 ? [0] : [0, top]);
    assertEquals(at(D), top === 0 ? [0] : [n - 1 - top, n - 1]);
    const x = noGrad(() => G.forward(tensor(randoms(16, 3), [2, 8]), EVALUATION));
    assertEquals(x.shape, [2, resolution, resolution, 3]);
    const logits = await noGrad(() => D.forward(x, EVALUATION)).read();
    assertEquals(logits.length, 2);
    assert(logits.every(Number.isFinite));
  });
}

const residual: Record<number, { G: string; D: string }> = {
  8: { G: "ConvTranspose2d+ UpBlock", D: "DownBlock+ DownBlock" },
  64: {
    G: "ConvTranspose2d+ UpBlock UpBlock UpBlock+ UpBlock",
    D: "DownBlock+ DownBlock DownBlock DownBlock+ DownBlock",
  },
};
for (const [side, steps] of Object.entries(residual)) {
  Deno.test(`SAGAN of ${side} pixels with residual blocks: its steps, + with attention, and images`, async () => {
    const resolution = Number(side), small = { ngf: 1, ndf: 1, attention: "32,4" };
    const own = { ...options, ...small, resolution, residual: true };
    const G = new SaganGenerator(own, hostRandom(1));
    const D = new SaganDiscriminator(own, hostRandom(2));
    const text = (net: SaganGenerator | SaganDiscriminator) =>
      net.blocks.map(({ conv, attention }) => conv.constructor.name + (attention ? "+" : ""))
        .join(" ");
    assertEquals({ G: text(G), D: text(D) }, steps);
    const x = noGrad(() => G.forward(tensor(randoms(16, 3), [2, 8]), EVALUATION));
    assertEquals(x.shape, [2, resolution, resolution, 3]);
    const logits = await noGrad(() => D.forward(x, EVALUATION)).read();
    assertEquals(logits.length, 2);
    assert(logits.every(Number.isFinite));
  });
}

Deno.test("a plan counts every parameter, those of attention and discrimination, too", async () => {
  const own = { ...options, minibatch: "discrimination", normD: "batch" };
  const state = newState(sagan, own), { G, D } = state;
  const nets = { G: G.parameters(), D: D.parameters() };
  const { layers } = await plan(state);
  for (const net of ["G", "D"] as const) {
    const planned = layers[net].reduce((n, { parameters }) => n + parameters, 0);
    assertEquals(planned, nets[net].reduce((n, { size }) => n + size, 0), net);
  }
  const row = layers.D.find(({ path }) => path === "discrimination")!;
  assertEquals([row.weight, row.output], [[8, 500], [1, 4, 4, 108]]);
  assertEquals(layers.D.find(({ path }) => path.endsWith("attention"))!.weight, [1]);
});

Deno.test("where attention goes", () => {
  assertEquals(attentionSizes("none", 64), []);
  assertEquals(attentionSizes("32", 64), [32]);
  assertEquals(attentionSizes("32", 32), [16]); // the largest map not above
  assertEquals(attentionSizes("64, 32,8", 32), [16, 8]);
  for (const text of ["", "12", "2", "32,", "all", "-4"]) {
    assertThrows(() => attentionSizes(text, 64), RangeError, "powers of two from 4 up");
  }
});
