/**
 * Numbers beside the losses that tell how a run goes: whether attention does anything, how large weights
 * are, whether the images are still as different as real ones.
 *
 * @module
 */
import { fromBytes } from "../kernels/bytes.ts";
import { affine, log, mul, scale } from "../kernels/elementwise.ts";
import { mean, sum } from "../kernels/reduce.ts";
import { release } from "../gpu/memory.ts";
import { type Context, EVALUATION } from "../nn/context.ts";
import type { Module } from "../nn/module.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { attentionMaps } from "./attention_maps.ts";
import { classed, latentsAt } from "./sampling.ts";
import type { State } from "./state.ts";

/** A network whose hidden map can be asked for. */
interface Featured {
  readonly features: (x: Tensor, context: Context) => Tensor;
}

function isFeatured(net: Module): net is Module & Featured {
  return typeof (net as Partial<Featured>).features === "function";
}

/** Images as bytes, `[n, R, R, C]`. */
export interface Bytes {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly n: number;
  readonly R: number;
}

const WATCHED = 8; // images whose attention is looked at

/**
 * Looks at a state.
 *
 * - `augment/probability`: of each change, where that adapts;
 * - `gamma/...`: how much each attention counts; `entropy/...`: how evenly it looks at all keys, 1 for
 *   all alike, 0 for one only;
 * - `sigma/...`: the largest singular value of each spectrally normalised weight, before;
 * - `diversity/pixels`: the mean distance between two fakes over that between two real images;
 *   `diversity/nearest`: the same with the distance to the nearest other; `diversity/features`: as the
 *   first, in D's last hidden map, where D shows it.
 *
 * @param fakes Made from fixed latents.
 * @param reals As many real images.
 */
export async function diagnose(
  state: State,
  fakes: Bytes,
  reals: Bytes,
): Promise<Record<string, number>> {
  const { G, D, spectraG, spectraD, options, stage } = state;
  const numbers = scoped(() => {
    const z = latentsAt(classed(options, WATCHED), options.seed, 0, WATCHED);
    const found: Record<string, Tensor> = {};
    // Growing networks have no attention, and take other images than these until they are grown.
    const real = stage.resolution === reals.R
      ? datasetOf(reals, 0, Math.min(WATCHED, reals.n))
      : undefined;
    for (const [name, net, x] of [["G", G, z], ["D", D, real]] as const) {
      if (!x) continue;
      for (const { path, layer, map } of attentionMaps(net, x)) {
        const at = `${name}.${path.replace(/\.attention$/, "")}`;
        found[`gamma/${at}`] = scale(layer.gamma, 1);
        found[`entropy/${at}`] = entropy(map);
      }
    }
    for (const [name, spectra] of [["G", spectraG], ["D", spectraD]] as const) {
      for (const [path, sigma] of Object.entries(spectra.sigmas())) {
        found[`sigma/${name}.${path}`] = sigma;
      }
    }
    if (state.probability) found["augment/probability"] = scale(state.probability, 1);
    return found;
  });
  const read = await Promise.all(
    Object.entries(numbers).map(async ([name, t]) => [name, (await t.read())[0]] as const),
  );
  for (const { storage } of Object.values(numbers)) release(storage);
  const pixels = diversity(
    Float32Array.from(fakes.pixels),
    Float32Array.from(reals.pixels),
    fakes.n,
  );
  const features = isFeatured(D) && stage.resolution === reals.R
    ? diversity(await featuresOf(D, fakes), await featuresOf(D, reals), fakes.n).mean
    : undefined;
  return {
    ...Object.fromEntries(read),
    ...Object.fromEntries(
      Object.entries({
        "diversity/pixels": pixels.mean,
        "diversity/nearest": pixels.nearest,
        "diversity/features": features,
        // Among few images there are equal ones.
      }).filter(([, ratio]) => Number.isFinite(ratio)),
    ) as Record<string, number>,
  };
}

/** In shares of the largest there can be, `[1]`; of rows that sum to 1. */
function entropy(map: Tensor): Tensor {
  const keys = map.shape[2], rows = map.size / keys;
  const total = sum(mul(map, log(affine(map, 1, 1e-12))));
  return scale(total, -1 / (rows * Math.log(Math.max(2, keys))));
}

function datasetOf({ pixels, R, n: all }: Bytes, from: number, n: number): Tensor {
  const size = pixels.length / all;
  return fromBytes(pixels.slice(from * size, (from + n) * size), [n, R, R, size / R ** 2]);
}

/** The means over the map of D's features, `[n, channels]`, some images at a time. */
async function featuresOf(D: Module & Featured, all: Bytes): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (let at = 0; at < all.n; at += WATCHED) {
    const n = Math.min(WATCHED, all.n - at);
    const { f } = scoped(() =>
      noGrad(() => ({ f: mean(D.features(datasetOf(all, at, n), EVALUATION), [1, 2]) }))
    );
    parts.push(await f.read());
    release(f.storage);
  }
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/**
 * How far apart `n` fakes lie, over how far apart `n` real images do.
 *
 * @param fakes `[n, d]`.
 * @param reals `[n, d]`.
 * @returns Ratios of the mean distances of pairs, and of the mean distances to the nearest other.
 */
export function diversity(
  fakes: Float32Array,
  reals: Float32Array,
  n: number,
): { mean: number; nearest: number } {
  const [f, r] = [distances(fakes, n), distances(reals, n)];
  return { mean: f.mean / r.mean, nearest: f.nearest / r.nearest };
}

function distances(x: Float32Array, n: number): { mean: number; nearest: number } {
  const d = x.length / n, nearest = new Float64Array(n).fill(Infinity);
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let k = 0; k < d; k++) square += (x[i * d + k] - x[j * d + k]) ** 2;
      const distance = Math.sqrt(square);
      total += distance;
      nearest[i] = Math.min(nearest[i], distance);
      nearest[j] = Math.min(nearest[j], distance);
    }
  }
  return { mean: total / (n * (n - 1) / 2), nearest: nearest.reduce((a, b) => a + b) / n };
}

/** What to do where images have become alike; undefined where they have not. */
export function collapse(numbers: Readonly<Record<string, number>>): string | undefined {
  const { "diversity/pixels": pixels = 1, "diversity/nearest": nearest = 1 } = numbers;
  const least = Math.min(pixels, nearest), share = least.toFixed(2);
  return least < ALIKE
    ? `images are alike, ${share} of the real ones' distances: if it goes on, go back to an ` +
      "earlier checkpoint and try a lower --lr-g, --augment or, not in dcgan, --minibatch discrimination"
    : undefined;
}

const ALIKE = 0.35;
