/**
 * Images of a trained generator: the latents they are made from, and the way between latents.
 *
 * @module
 */
import { imageChannels } from "../data/image.ts";
import { compileAhead } from "../gpu/ahead.ts";
import { TooLargeError } from "../gpu/errors.ts";
import { release } from "../gpu/memory.ts";
import { rehearsed } from "../gpu/record.ts";
import { toBytesLater } from "../kernels/bytes.ts";
import { full, scale } from "../kernels/elementwise.ts";
import { normalRows } from "../kernels/random.ts";
import { upNearest } from "../kernels/resample.ts";
import { concat } from "../kernels/slice.ts";
import { EVALUATION } from "../nn/context.ts";
import type { Module } from "../nn/module.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { classesIn, latentLength, oneHot, spread, withClasses } from "./classes.ts";

const STREAM = 3; // of random numbers; training draws from others
const PIXELS = 2 ** 18; // made at a time, if a training batch has fewer

/** What images are made with; part of a run's options. */
export interface SamplingOptions {
  /** Length of a latent. */
  readonly nz: number;
  /** Images to make at a time. */
  readonly batch: number;
  /** Side that images are enlarged to, if networks have not grown to it yet. */
  readonly resolution: number;
  /** What a pixel has: gray, color if left out, or color and alpha. */
  readonly channels?: string;
  /** Whether G is told classes. */
  readonly conditional?: boolean;
  /** Their names. */
  readonly classes?: string;
  /** The number of each image's class; by default in their order, each equally often. */
  readonly classOf?: (i: number) => number;
  /** A seed for each image, instead of one for all. */
  readonly seeds?: readonly number[];
  /**
   * What latents are multiplied by, 1 if left out: below 1 images vary less.
   *
   * @see Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix B; here of latents, whose mean is 0
   */
  readonly truncation?: number;
}

/** The latents of images `at` to `at + n - 1` of a seed, `[n, nz]`, beside their classes where G is told. */
export function latentsAt(options: SamplingOptions, seed: number, at: number, n: number): Tensor {
  const { nz, classOf = () => 0, seeds, truncation = 1 } = options, C = classesIn(options).length;
  const drawn = seeds
    ? concat(seeds.slice(at, at + n).map((seed) => drawOf(nz, seed, 0, 1)), 0)
    : drawOf(nz, seed, at, n);
  const z = truncation === 1 ? drawn : scale(drawn, truncation);
  if (C === 0) return z;
  return withClasses(z, oneHot(Uint16Array.from({ length: n }, (_, i) => classOf(at + i)), n, C));
}

function drawOf(nz: number, seed: number, counter: number, n: number): Tensor {
  return normalRows(n, nz, { seed, counter, stream: STREAM });
}

/** The same options, with classes for `count` images. */
export function classed<T extends SamplingOptions>(options: T, count: number): T {
  const all = classesIn(options).map(() => 1);
  return options.classOf || !all.length ? options : { ...options, classOf: spread(count, all) };
}

/** The images of `latents()`, `[n, nz]`, as bytes `[n, R, R, C]`. */
export function render(
  G: Module,
  options: SamplingOptions,
  latents: () => Tensor,
): Promise<Uint8Array<ArrayBuffer>> {
  return renderLater(G, options, latents)();
}

function renderLater(G: Module, { resolution }: SamplingOptions, latents: () => Tensor) {
  const x = scoped(() => made(G, resolution, latents()));
  const bytes = toBytesLater(x);
  release(x.storage);
  return bytes;
}

function made(G: Module, resolution: number, z: Tensor): Tensor {
  return noGrad(() => {
    const x = G.forward(z, EVALUATION), R = x.shape[1];
    return R === resolution ? x : upNearest(x, resolution / R);
  });
}

/** How many images, at most those of a batch, the device can make at once. */
function fittingBatch(G: Module, options: SamplingOptions): number {
  for (let n = options.batch; n > 1; n = Math.ceil(n / 2)) {
    try {
      rehearsed(() => rehearse(G, options, n));
      return n;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
    }
  }
  return 1;
}

function rehearse(G: Module, options: SamplingOptions, n: number): void {
  scoped(() => void made(G, options.resolution, full([n, latentLength(options)], 0)));
}

/**
 * Images made from latents that are the same for the same seed, some at a time. Those of networks that
 * have not grown to the run's resolution R yet are enlarged to it.
 *
 * @returns Bytes `[n, R, R, C]`, of which the first is image `at`.
 */
export async function* samples(
  G: Module,
  given: SamplingOptions,
  count: number,
  seed: number,
): AsyncGenerator<{ at: number; bytes: Uint8Array }> {
  const options = classed(given, count), { resolution: R } = options;
  const most = Math.max(options.batch, Math.floor(PIXELS / R ** 2));
  const batch = fittingBatch(G, { ...options, batch: Math.min(most, count) });
  await compileAhead(() => rehearse(G, options, batch));
  const make = (at: number) => {
    const n = Math.min(batch, count - at);
    return n > 0 ? renderLater(G, options, () => latentsAt(options, seed, at, n)) : undefined;
  };
  // The device makes a batch while the caller has the one before it.
  let next = make(0);
  try {
    for (let at = 0; at < count; at += batch) {
      const wait = next!;
      next = undefined;
      const bytes = await wait();
      next = make(at + batch);
      yield { at, bytes };
    }
  } finally {
    await next?.(); // where the caller stops before the end
  }
}

/**
 * Spherical interpolation: directions along the arc between them, at an even pace, lengths evenly.
 * Straight lines would pass near the origin, where hardly any latent lies.
 *
 * @param t 0 gives `a`, 1 gives `b`.
 * @throws {RangeError} If they differ in length.
 * @see Shoemake 1985, https://doi.org/10.1145/325334.325242
 */
export function slerp(a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float32Array {
  const n = a.length;
  if (b.length !== n) throw new RangeError(`slerp: lengths ${n} and ${b.length} differ`);
  let aa = 0, bb = 0, ab = 0;
  for (let i = 0; i < n; i++) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  const la = Math.sqrt(aa), lb = Math.sqrt(bb), length = (1 - t) * la + t * lb;
  const angle = Math.acos(Math.max(-1, Math.min(1, ab / (la * lb)))), sine = Math.sin(angle);
  // Where they point the same way (or there is no arc: opposite ways) a straight line will do.
  const straight = !(sine > 1e-6);
  const ka = (straight ? 1 - t : Math.sin((1 - t) * angle) / sine) * (straight ? 1 : length / la);
  const kb = (straight ? t : Math.sin(t * angle) / sine) * (straight ? 1 : length / lb);
  return Float32Array.from({ length: n }, (_, i) => ka * a[i] + kb * b[i]);
}

/** A walk of several images at once, each through latents of its own and back to its first. */
export interface Walk {
  /** Images in a frame; they begin as the first ones of the seed. */
  readonly count: number;
  /** Latents that each comes through. */
  readonly stops: number;
  /** Frames from one latent to the next. */
  readonly frames: number;
  readonly seed: number;
}

/** The frames of a walk, `stops * frames` of them, as bytes `[count, R, R, C]`. */
export async function* walk(
  G: Module,
  given: SamplingOptions,
  { count, stops, frames, seed }: Walk,
): AsyncGenerator<Uint8Array> {
  const options = classed(given, count), nz = latentLength(options); // an image keeps its class
  const { resolution: R } = options, size = R * R * imageChannels(options);
  const batch = fittingBatch(G, options);
  const drawn = scoped(() => latentsAt(options, seed, 0, count * stops));
  const all = await drawn.read();
  release(drawn.storage);
  const latent = (image: number, stop: number) => {
    const at = ((stop % stops) * count + image) * nz;
    return all.subarray(at, at + nz);
  };
  for (let frame = 0; frame < stops * frames; frame++) {
    const stop = Math.floor(frame / frames), t = (frame % frames) / frames;
    const bytes = new Uint8Array(count * size);
    for (let at = 0; at < count; at += batch) {
      const n = Math.min(batch, count - at), z = new Float32Array(n * nz);
      for (let i = 0; i < n; i++) {
        z.set(slerp(latent(at + i, stop), latent(at + i, stop + 1), t), i * nz);
      }
      bytes.set(await render(G, options, () => tensor(z, [n, nz])), at * size);
    }
    yield bytes;
  }
}
