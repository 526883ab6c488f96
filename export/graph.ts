/**
 * A generator as a list of operations on maps `[N, C, H, W]`, which other programs' formats are
 * written from: plain layers, with spectral norms and scales in the weights.
 *
 * @module
 */
import { imageChannels } from "../data/image.ts";
import { DcganGenerator } from "../models/dcgan.ts";
import { PgganGenerator, type PgganLayer } from "../models/pggan.ts";
import { R3ganGenerator } from "../models/r3gan.ts";
import { SaganGenerator } from "../models/sagan.ts";
import { UpBlock } from "../models/sagan_blocks.ts";
import { levelOf, type Stage } from "../models/stage.ts";
import { type BatchNorm2d, type Conv2d, ConvTranspose2d } from "../nn/layers.ts";
import type { Module } from "../nn/module.ts";
import type { SelfAttention } from "../nn/self_attention.ts";
import { classesIn, latentLength } from "../train/classes.ts";
import type { TrainOptions } from "../train/options.ts";

/** A layer with weights; its name is its path in the checkpoint with `_` for dots. */
export interface Layer {
  readonly name: string;
  readonly kind: "conv" | "convTranspose" | "batchNorm";
  readonly module: Conv2d | ConvTranspose2d | BatchNorm2d;
}

/** One operation; values are numbered, 0 is the latents `[N, nz]` and each node makes the next. */
export type Node =
  & { readonly inputs: readonly number[] }
  & (
    | { readonly op: "latent"; readonly nz: number }
    | { readonly op: "layer"; readonly layer: Layer }
    | { readonly op: "leakyRelu"; readonly slope: number }
    | { readonly op: "tanh" }
    | { readonly op: "pixelNorm"; readonly eps: number }
    | { readonly op: "upNearest"; readonly factor: number }
    /** Of so many channels; see kernels/resample.ts. */
    | { readonly op: "upSmooth"; readonly channels: number }
    | { readonly op: "add" }
    | { readonly op: "maxPool" }
    /** Of queries, keys and values; the result has the queries' side. */
    | { readonly op: "attend"; readonly side: number; readonly widths: readonly [number, number] }
    /** The first input, times a parameter of that name, plus the second. */
    | { readonly op: "addScaled"; readonly name: string; readonly attention: SelfAttention }
    /** `1 - alpha` of the first input and `alpha` of the second. */
    | { readonly op: "mix"; readonly alpha: number }
  );

/** A generator. */
export interface Graph {
  /** Length of a latent; the last of its numbers tell the class, where there are classes. */
  readonly nz: number;
  /** Names of the classes that the generator is told of. */
  readonly classes: readonly string[];
  /** Side of the images. */
  readonly resolution: number;
  /** Of the images: 1, 3 or 4. */
  readonly channels: number;
  readonly nodes: readonly Node[];
}

/** Omits from each member of a union. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

class Builder {
  readonly nodes: Node[] = [];
  readonly #names: ReadonlyMap<object, string>;

  constructor(G: Module) {
    this.#names = namesOf(G);
  }

  add(node: Without<Node, "inputs">, ...inputs: number[]): number {
    this.nodes.push({ ...node, inputs } as Node);
    return this.nodes.length;
  }

  /** A convolution, with the leaky ReLU that is part of it. */
  conv(module: Module, x: number): number {
    const kind = module instanceof ConvTranspose2d ? "convTranspose" : "conv";
    const layer = { name: this.nameOf(module), kind, module: module as Conv2d } as const;
    return this.#leaky((module as Conv2d).geometry.slope, this.add({ op: "layer", layer }, x));
  }

  /** See models/sagan_blocks.ts. */
  upBlock({ norm1, conv1, norm2, conv2, skip }: UpBlock, x: number): number {
    const twice = (x: number) => this.add({ op: "upNearest", factor: 2 }, x);
    const inside = this.norm(norm2, this.conv(conv1, twice(this.norm(norm1, x))));
    return this.add({ op: "add" }, this.conv(conv2, inside), twice(this.conv(skip, x)));
  }

  norm(module: BatchNorm2d | undefined, x: number): number {
    if (!module) return x;
    const layer = { name: this.nameOf(module), kind: "batchNorm", module } as const;
    return this.#leaky(module.constants.slope, this.add({ op: "layer", layer }, x));
  }

  #leaky(slope: number, x: number): number {
    return slope === 1 ? x : this.add({ op: "leakyRelu", slope }, x);
  }

  attention(module: SelfAttention, x: number, side: number): number {
    const seen = (y: number) => module.pooled ? this.add({ op: "maxPool" }, y) : y;
    const q = this.conv(module.g, x), k = seen(this.conv(module.f, x));
    const v = seen(this.conv(module.h, x));
    const widths = [outputsOf(module.g), outputsOf(module.h)] as const;
    const o = this.add({ op: "attend", side, widths }, q, k, v);
    const all = module.v ? this.conv(module.v, o) : o, name = `${this.nameOf(module)}_gamma`;
    return this.add({ op: "addScaled", name, attention: module }, all, x);
  }

  nameOf(module: Module): string {
    return this.#names.get(module)!;
  }
}

/** Channels of what a convolution makes. */
function outputsOf(module: Conv2d): number {
  return (module.weight ?? module.weight_orig)!.shape[3];
}

/** The paths of all parts, with `_` for dots. */
function namesOf(G: Module): Map<object, string> {
  return new Map(
    [...G.namedModules()].map(([path, module]) => [module, path.replaceAll(".", "_")]),
  );
}

/**
 * The operations of a generator.
 *
 * @param stage Up to where a growing one has grown; what is smaller than the run's resolution is
 *   enlarged to it, as `gan sample` does.
 * @throws {TypeError} If it is none of the known ones.
 */
export function graphOf(G: Module, options: TrainOptions, stage: Stage): Graph {
  const { resolution, norm } = options, nz = latentLength(options), build = new Builder(G);
  if (G instanceof DcganGenerator || G instanceof SaganGenerator) ladder(build, G, nz);
  else if (G instanceof PgganGenerator) growing(build, G, nz, norm, stage);
  else if (G instanceof R3ganGenerator) residual(build, G, nz);
  else throw new TypeError(`export: there is no way to export a ${G.constructor.name}`);
  const factor = resolution / stage.resolution;
  if (factor > 1) build.add({ op: "upNearest", factor }, build.nodes.length);
  const channels = imageChannels(options);
  return { nz, classes: classesIn(options), resolution, channels, nodes: build.nodes };
}

function ladder(build: Builder, G: DcganGenerator | SaganGenerator, nz: number): void {
  let x = build.add({ op: "latent", nz }, 0);
  for (const [i, block] of G.blocks.entries()) {
    const { conv } = block;
    x = build.norm(
      block.norm,
      conv instanceof UpBlock ? build.upBlock(conv, x) : build.conv(conv, x),
    );
    if ("attention" in block && block.attention) {
      x = build.attention(block.attention, x, 4 * 2 ** i);
    }
  }
  build.add({ op: "tanh" }, build.conv(G.output, x));
}

function residual(build: Builder, G: R3ganGenerator, nz: number): void {
  let x = build.conv(G.basis, build.conv(G.latent, build.add({ op: "latent", nz }, 0)));
  let channels = outputsOf(G.latent);
  for (const [level, { conv, blocks }] of G.levels.entries()) {
    if (conv) [x, channels] = [build.conv(conv, x), outputsOf(conv)];
    if (level > 0) x = build.add({ op: "upSmooth", channels }, x);
    for (const { conv1, conv2, conv3 } of blocks) {
      const beside = build.conv(conv3, build.conv(conv2, build.conv(conv1, x)));
      x = build.add({ op: "add" }, x, beside);
    }
  }
  build.conv(G.output, x);
}

function growing(
  build: Builder,
  G: PgganGenerator,
  nz: number,
  norm: string,
  { resolution, fading, alpha }: Stage,
): void {
  const normed = (x: number) => norm === "pixel" ? build.add({ op: "pixelNorm", eps: 1e-8 }, x) : x;
  const through = ({ conv, norm }: PgganLayer, x: number) => build.norm(norm, build.conv(conv, x));
  const twice = (x: number) => build.add({ op: "upNearest", factor: 2 }, x);
  let x = normed(build.add({ op: "latent", nz }, 0)), below = x;
  for (const [level, block] of G.blocks.entries()) {
    below = x;
    if (level > 0) x = twice(x);
    for (const step of block) x = normed(through(step, x));
  }
  const top = levelOf(resolution);
  let rgb = build.conv(G.toRgb[top], x);
  if (fading && top > 0) {
    rgb = build.add({ op: "mix", alpha }, twice(build.conv(G.toRgb[top - 1], below)), rgb);
  }
  if (norm === "batch") build.add({ op: "tanh" }, rgb);
}
