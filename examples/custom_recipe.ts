/**
 * A system of your own, trained: a GAN of two small perceptrons that learns to draw discs, with a
 * regulariser of its own. It writes `discs.png`: above what was shown, below what it makes.
 *
 * ```sh
 * deno run -A examples/custom_recipe.ts
 * ```
 *
 * @module
 */
import {
  type Dataset,
  datasetFrom,
  freeState,
  grid,
  type HostRandom,
  Linear,
  mean,
  Module,
  newState,
  openGpu,
  presetOptions,
  r1,
  type Recipe,
  reshape,
  sampler,
  samples,
  savePng,
  scale,
  square,
  tanh,
  type Tensor,
  train,
  uniformInit,
  watch,
} from "@webgan/webgan";

/** Leaky ReLUs between linear layers of the given widths. */
class Perceptron extends Module {
  readonly layers: Linear[];

  constructor(widths: readonly number[], random: HostRandom) {
    super();
    const init = uniformInit(random), last = widths.length - 2;
    this.layers = widths.slice(1).map((width, i) =>
      new Linear(widths[i], width, init, { slope: i < last ? 0.2 : 1 })
    );
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((x, layer) => layer.forward(x), x);
  }
}

class Generator extends Perceptron {
  constructor(nz: number, readonly side: number, random: HostRandom) {
    super([nz, 128, 256, side * side * 3], random);
  }

  override forward(z: Tensor): Tensor {
    return reshape(tanh(super.forward(z)), [z.shape[0], this.side, this.side, 3]);
  }
}

class Discriminator extends Perceptron {
  constructor(side: number, random: HostRandom) {
    super([side * side * 3, 256, 128, 1], random);
  }

  override forward(x: Tensor): Tensor {
    return reshape(super.forward(reshape(x, [x.shape[0], x.size / x.shape[0]])), [x.shape[0]]);
  }
}

const options = { resolution: 16, nz: 16, batch: 64, lrG: 1e-3, lrD: 1e-3, ema: 0.99 };

/** How it is trained; an option's default comes from the table that `gan train --help` shows. */
export const perceptrons: Recipe = {
  name: "perceptrons",
  about: "two perceptrons",
  presets: {
    default: { about: "16 pixels", options: { ...options, kimg: 60 } },
    small: { about: "the same, shorter", options: { ...options, kimg: 8 } },
  },
  G: ({ nz, resolution }, random) => new Generator(nz, resolution, random),
  D: ({ resolution }, random) => new Discriminator(resolution, random),
  terms: () => ({
    // A term of one's own: D's logits of real images stay small.
    D: [...r1(0.1), { of: "reals", value: ({ onReal }) => scale(mean(square(onReal)), 0.01) }],
    G: [],
  }),
};

/** Discs of random places, sizes and colours. */
export function discs(count: number, side: number): Dataset {
  const pixels = new Uint8Array(count * side * side * 3);
  let state = 1; // a small generator of random numbers, so that all runs see the same
  const random = () => (state = (48_271 * state) % 0x7fffffff) / 0x7fffffff;
  for (let i = 0; i < count; i++) {
    const [x, y] = [random(), random()].map((u) => (0.3 + 0.4 * u) * side);
    const radius = (0.15 + 0.15 * random()) * side;
    const colour = [random(), random(), random()].map((u) => 255 * u);
    for (let at = 0; at < side * side; at++) {
      const inside = Math.hypot(at % side - x, Math.floor(at / side) - y) < radius;
      pixels.set(inside ? colour : [255, 255, 255], 3 * (i * side * side + at));
    }
  }
  return datasetFrom(pixels, side, "discs");
}

/** Trains; returns D's and G's mean losses in the end, and 32 images, `[32, R, R, 3]`. */
export async function run(preset: string, log: (text: string) => void) {
  const options = presetOptions(perceptrons, preset), dataset = discs(5000, options.resolution);
  const state = newState(perceptrons, options);
  const losses: number[] = [];
  const observer = watch(state, (images, { dReal, dFake, g }) => {
    losses.splice(0, 2, dReal + dFake, g);
    log(`${images} images: D ${(dReal + dFake).toFixed(3)}, G ${g.toFixed(3)}`);
  });
  await train({ state, dataset, observer });
  const made: number[] = [];
  for await (const { bytes } of samples(sampler(state), options, 32, 0)) made.push(...bytes);
  freeState(state);
  return { losses, dataset, made: Uint8Array.from(made) };
}

if (import.meta.main) {
  await openGpu();
  const { dataset, made } = await run("default", console.log);
  const R = dataset.resolution, shown = dataset.pixels.subarray(0, 32 * R * R * 3);
  await savePng("discs.png", grid(Uint8Array.from([...shown, ...made]), 64, R, 16));
  Deno.exit(); // an open device keeps the process alive
}
