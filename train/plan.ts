/**
 * What a run will be, before it is one: layers, memory, arithmetic, time.
 *
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";
import { counters } from "../gpu/memory.ts";
import { idle } from "../gpu/record.ts";
import { normal } from "../kernels/random.ts";
import type { Pictures } from "../data/pictures.ts";
import { Module } from "../nn/module.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { advance } from "./loop.ts";
import type { TrainOptions } from "./options.ts";
import { duration } from "./progress.ts";
import type { State } from "./state.ts";

/** One layer of a net. */
export interface LayerRow {
  readonly path: string;
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly parameters: number;
}

/** The layers of a net that have parameters, with what they give for `x`. */
export function layersOf(net: Module, x: Tensor): LayerRow[] {
  const leaves = new Map<Module, string>();
  find(net, "", leaves);
  const outputs = new Map<Module, readonly number[]>();
  for (const leaf of leaves.keys()) {
    // An own property hides the class's method for the length of one forward.
    leaf.forward = function (input: Tensor, training: boolean) {
      const y = Object.getPrototypeOf(this).forward.call(this, input, training);
      outputs.set(this, y.shape);
      return y;
    };
  }
  try {
    noGrad(() => scoped(() => void net.forward(x, false)));
  } finally {
    for (const leaf of leaves.keys()) delete (leaf as Partial<Module>).forward;
  }
  return [...leaves].map(([leaf, path]) => {
    const shapes = leaf.parameters().map(({ shape }) => shape);
    return {
      path,
      weight: shapes[0],
      output: outputs.get(leaf) ?? [],
      parameters: shapes.reduce((n, shape) => n + sizeOf(shape), 0),
    };
  });
}

/** Modules that hold parameters themselves. */
function find(value: unknown, path: string, leaves: Map<Module, string>): void {
  if (value === null || typeof value !== "object") return;
  if (value instanceof Module && "weight" in value) {
    leaves.set(value, path);
    return;
  }
  const plain = value instanceof Module || Array.isArray(value) ||
    Object.getPrototypeOf(value) === Object.prototype;
  if (!plain) return;
  for (const [key, part] of Object.entries(value)) {
    find(part, path ? `${path}.${key}` : key, leaves);
  }
}

/** What a dry run measured. */
export interface Plan {
  readonly layers: Readonly<Record<"G" | "D", LayerRow[]>>;
  readonly gflopPerImage: number;
  readonly megabytes: number;
  readonly imagesPerSecond: number;
  readonly seconds: number;
  readonly device: string;
}

/** Makes three steps on black pictures and measures them; `state` is spoilt. */
export async function plan(state: State, options: TrainOptions): Promise<Plan> {
  const { resolution: R, batch, nz, dSteps, kimg } = options;
  const layers = scoped(() => {
    const z = normal([1, nz], { seed: 0, stream: 0, counter: 0 });
    const x = noGrad(() => state.G.forward(z, false));
    return { G: layersOf(state.G, z), D: layersOf(state.D, x) } as never;
  }) as Plan["layers"];
  const pixels = new Uint8Array(R * R * 3);
  const black: Pictures = { name: "black", count: 1, resolution: R, pixels, hash: "", broken: [] };
  const step = () => scoped(() => void advance(state, options, black));
  step();
  await idle();
  const flop = counters.flop, start = performance.now();
  for (let i = 0; i < 2; i++) step();
  await idle();
  const imagesPerSecond = 2 * batch * dSteps / ((performance.now() - start) / 1000);
  return {
    layers,
    gflopPerImage: (counters.flop - flop) / (2 * batch * dSteps) / 1e9,
    megabytes: counters.bytes / 2 ** 20,
    imagesPerSecond,
    seconds: 1000 * kimg / imagesPerSecond,
    device: deviceInfo().name,
  };
}

/** The plan as lines of text. */
export function planText({ layers, ...p }: Plan): string[] {
  const lines: string[] = [];
  for (const [net, rows] of Object.entries(layers)) {
    lines.push(row(net, "weight", "output", "parameters"));
    for (const r of rows) {
      lines.push(row(r.path, `[${r.weight}]`, `[${r.output}]`, r.parameters.toLocaleString("en")));
    }
    const sum = rows.reduce((n, r) => n + r.parameters, 0);
    lines.push(row("", "", "", sum.toLocaleString("en")), "");
  }
  lines.push(
    `device      ${p.device}`,
    `arithmetic  ${p.gflopPerImage.toFixed(3)} GFLOP an image`,
    `memory      ${Math.ceil(p.megabytes)} MiB on the device`,
    `speed       ${p.imagesPerSecond.toFixed(1)} images/s, measured over two steps`,
    `time        ${duration(p.seconds)} in all`,
  );
  return lines;
}

function row(a: string, b: string, c: string, d: string): string {
  return `${a.padEnd(18)}${b.padEnd(20)}${c.padEnd(20)}${d.padStart(12)}`;
}
