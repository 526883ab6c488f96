/** Steps that are played, not recorded: the same, bit for bit. */
import { assert, assertEquals } from "@std/assert";
import { normal } from "../kernels/random.ts";
import { EVALUATION } from "../nn/context.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { dcgan } from "../train/dcgan.ts";
import { advance, play, stepPlayer } from "../train/advance.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { pggan } from "../train/pggan.ts";
import type { Recipe } from "../train/recipe.ts";
import { r3gan } from "../train/r3gan.ts";
import { sagan } from "../train/sagan.ts";
import { grow, newState, type State } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const small = { ...defaults, resolution: 16, batch: 4, nz: 8, ngf: 4, ndf: 4 };
/** By name: what is trained, with which options, and from how many images on. */
const runs: Record<string, [Recipe, Partial<TrainOptions>, images?: number]> = {
  "DCGAN with soft labels, two steps of D": [dcgan, { labelSmoothing: 0.8, dSteps: 2 }],
  "DCGAN in half precision": [dcgan, { precision: "f16" }],
  "SAGAN with all the thesis's parts": [sagan, {
    ...sagan.presets.thesis.options,
    resolution: 16,
    attention: "8,4",
    dropout: 0.25,
    augment: "color,translation,cutout",
    l1: 1e-4,
    ema: 0.99,
  }],
  "SAGAN with penalties, a relative loss, R1 at each third step": [sagan, {
    ...sagan.presets.default.options,
    resolution: 16,
    gp: 10,
    r1: 1,
    r1Every: 3,
    drift: 1e-3,
    loss: "ragan",
  }],
  "R3GAN while its options are annealed and after": [r3gan, {
    ...r3gan.presets.small.options,
    resolution: 8,
    fmapBase: 64,
    fmapMax: 16,
    annealKimg: 0.03,
    augment: "color,translation,cutout",
  }],
  "PGGAN's first phase": [pggan, {
    ...pggan.presets.default.options,
    resolution: 8,
    fmapBase: 64,
    fmapMax: 8,
  }],
  "PGGAN with augmented images while a level is faded in": [pggan, {
    ...pggan.presets.r1.options,
    resolution: 8,
    fmapBase: 64,
    fmapMax: 8,
    phaseKimg: 0.04,
    augment: "color,translation,cutout",
  }, 40],
};

/** Everything that a run depends on. */
async function contents({ G, D, optG, optD, average, images }: State) {
  const tensors = [G, D, ...average ? [average.net] : []].flatMap((net) =>
    [...net.named()].map(([, t]) => t)
  );
  const moments = [optG, optD].flatMap((opt) => opt.moments.flatMap(({ m, v }) => [m, v]));
  const values: number[][] = [[images, optG.steps, optD.steps]];
  for (const t of [...tensors, ...moments]) values.push([...await t.read()]);
  return values;
}

for (const [name, [recipe, changed, images = 0]] of Object.entries(runs)) {
  Deno.test(`steps are played as they are recorded: ${name}`, async () => {
    const own = { ...small, ...changed, batch: 4, nz: 8, ngf: 4, ndf: 4 } as TrainOptions;
    const recorded = newState(recipe, own), played = newState(recipe, own), player = stepPlayer();
    for (const state of [recorded, played]) {
      state.images = images;
      grow(state);
    }
    assertEquals(recorded.stage.fading, images > 0);
    const dataset = datasetOf(recorded.stage.resolution), STEPS = 12;
    const losses: number[][] = [[], []], kept: [Tensor, Float32Array][] = [];
    for (let i = 0; i < STEPS; i++) {
      grow(recorded);
      const made = scoped(() => advance(recorded, dataset));
      losses[0].push((await made.g.read())[0]);
    }
    for (let i = 0; i < STEPS; i++) {
      let g: Promise<Float32Array> | undefined;
      grow(played, () => player.forget());
      play(player, played, dataset, (made) => g = made.g.read());
      losses[1].push((await g!)[0]);
      // What others make between two steps, and keep, is no step's to write to.
      const z = () => normal([4, 8], { seed: 1, stream: 9, counter: i });
      const x = scoped(() => noGrad(() => played.G.forward(z(), EVALUATION)));
      kept.push([x, await x.read()]);
    }
    for (const [x, values] of kept) assertEquals(await x.read(), values);
    assert(player.played >= STEPS / 2, `${player.played} of ${STEPS} steps were played`);
    assertEquals(losses[1], losses[0]);
    const [a, b] = [await contents(recorded), await contents(played)];
    a.forEach((values, i) => assert(values.every((v, k) => v === b[i][k]), `tensor ${i} differs`));
    assertEquals(a.length, b.length);
    player.forget();
  });
}
