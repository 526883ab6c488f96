/// <reference lib="dom" />
/**
 * The page of `gan export page`, in the browser: a generator that makes images while one looks.
 *
 * @module
 */
import type { PageData } from "./data.ts";
import { imageChannels, toRgb } from "../../data/image.ts";
import { openGpu } from "../../gpu/engines/browser.ts";
import { fromEntries } from "../../nn/checkpoint.ts";
import type { Module } from "../../nn/module.ts";
import { NOTHING_DRAWN } from "../../nn/random.ts";
import { scoped, sizeOf, tensor } from "../../tensor/tensor.ts";
import { classesIn, latentLength } from "../../train/classes.ts";
import { dcgan } from "../../train/dcgan.ts";
import type { TrainOptions } from "../../train/options.ts";
import { pggan } from "../../train/pggan.ts";
import { networkOptions } from "../../train/recipe.ts";
import { r3gan } from "../../train/r3gan.ts";
import { sagan } from "../../train/sagan.ts";
import { latentsAt, render, type SamplingOptions, slerp } from "../../train/sampling.ts";

const STEP = 1 / 24; // of the way from one latent to the next, for each image of a walk

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const canvas = element<HTMLCanvasElement>("images"), status = element("status");
const seed = element<HTMLInputElement>("seed"), spread = element<HTMLInputElement>("spread");
const count = element<HTMLSelectElement>("count"), only = element<HTMLSelectElement>("class");
const walking = element<HTMLInputElement>("walk");

/** The generator, with the weights that the page holds. */
function load({ options, stage, tensors }: PageData): Module {
  const recipe = { dcgan, sagan, pggan, r3gan }[options.recipe]!;
  const G = recipe.G(networkOptions(options), NOTHING_DRAWN, stage);
  const text = atob(element("weights").textContent!.trim());
  const all = new Float32Array(Uint8Array.from(text, (c) => c.charCodeAt(0)).buffer);
  let at = 0;
  const entries = new Map(tensors.map(([name, shape]) => {
    const data = all.subarray(at, at += sizeOf(shape));
    return [name, { dtype: "F32", shape: [...shape], data } as const];
  }));
  fromEntries(G.named(), entries, "this page");
  return G;
}

/** Images and the latents that they are made from. */
class Viewer {
  readonly #G: Module;
  readonly #options: TrainOptions;
  readonly #device: string;
  #turn = 0;

  constructor(G: Module, options: TrainOptions, device: string) {
    this.#G = G;
    this.#options = options;
    this.#device = device;
  }

  get #count(): number {
    return Number(count.value);
  }

  #sampling(): SamplingOptions {
    const classes = classesIn(this.#options).length, chosen = Number(only.value);
    return {
      ...this.#options,
      truncation: Number(spread.value),
      classOf: (i) => chosen >= 0 ? chosen : i % Math.max(1, classes),
    };
  }

  /** Latents of a seed, beside classes where G is told. */
  async #latents(seed: number): Promise<Float32Array> {
    const z = scoped(() => latentsAt(this.#sampling(), seed, 0, this.#count));
    return await z.read();
  }

  async #show(latents: Float32Array): Promise<void> {
    const n = this.#count, nz = latentLength(this.#options), C = imageChannels(this.#options);
    const R = this.#options.resolution, side = Math.ceil(Math.sqrt(n)), began = performance.now();
    const bytes = await render(this.#G, this.#options, () => tensor(latents, [n, nz]));
    const image = new ImageData(side * R, Math.ceil(n / side) * R);
    image.data.fill(255);
    const rgb = C === 4 ? bytes : toRgb(bytes, C), step = C === 4 ? 4 : 3;
    for (let i = 0; i < n * R * R; i++) {
      const of = Math.floor(i / (R * R)), y = Math.floor(i / R) % R, x = i % R;
      const to = (Math.floor(of / side) * R + y) * side * R + of % side * R + x;
      for (let c = 0; c < step; c++) image.data[4 * to + c] = rgb[step * i + c];
    }
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d")!.putImageData(image, 0, 0);
    const ms = performance.now() - began;
    status.textContent = `${n} images in ${ms.toFixed(0)} ms on ${this.#device}`;
  }

  /** Ends what is being drawn, or waits to be; returns the number of what is drawn next. */
  turn(): number {
    return ++this.#turn;
  }

  /** Shows the images of the seed; a walk goes from there to the next seeds until its turn is over. */
  async draw(turn: number): Promise<void> {
    if (turn !== this.#turn) return;
    let next = Math.abs(Math.trunc(Number(seed.value))), from = await this.#latents(next);
    await this.#show(from);
    while (walking.checked && turn === this.#turn) {
      const to = await this.#latents(++next), nz = latentLength(this.#options);
      for (let t = STEP; t < 1 && turn === this.#turn; t += STEP) {
        const between = new Float32Array(from.length);
        for (let at = 0; at < from.length; at += nz) {
          between.set(slerp(from.subarray(at, at + nz), to.subarray(at, at + nz), t), at);
        }
        await this.#show(between);
        await new Promise((resume) => requestAnimationFrame(resume));
      }
      if (turn === this.#turn) seed.value = String(next);
      from = to;
    }
  }
}

/** Saves what is seen as a PNG. */
function save(): void {
  const link = document.createElement("a");
  link.download = `seed${seed.value}.png`;
  link.href = canvas.toDataURL("image/png");
  link.click();
}

async function start(): Promise<void> {
  const data: PageData = JSON.parse(element("data").textContent!), { options } = data;
  const gpu = await openGpu(), viewer = new Viewer(load(data), options, gpu.info.name);
  classesIn(options).forEach((name, i) => only.append(new Option(name, String(i))));
  only.parentElement!.hidden = classesIn(options).length === 0;
  // One after another, without those that a later change has overtaken.
  let last = Promise.resolve();
  const draw = () => {
    const turn = viewer.turn();
    last = last.then(() => viewer.draw(turn)).catch(tell);
  };
  element("new").addEventListener("click", () => {
    seed.value = String(Math.floor(1e6 * Math.random()));
    draw();
  });
  for (const input of [seed, spread, count, only, walking]) input.addEventListener("input", draw);
  element("save").addEventListener("click", save);
  draw();
  await last;
}

function tell(error: unknown): void {
  status.textContent = error instanceof Error ? error.message : String(error);
}

await start().catch(tell);
