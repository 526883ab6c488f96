/** Weights for Inception without a file: drawn by their names, as tests/oracle/inception.py does. */
import type { Entry } from "../io/safetensors.ts";
import { drawn } from "./drawn.ts";

/** The weights of that name: uniform numbers, scaled and shifted. */
function draw(name: string, shape: number[]): Entry {
  const part = name.split(".").slice(-2), fanIn = shape.slice(1).reduce((n, s) => n * s, 1);
  const value = part[0] !== "bn"
    ? (u: number) => u * Math.sqrt(6 / fanIn)
    : part[1] === "weight"
    ? (u: number) => 1 + 0.2 * u
    : part[1] === "running_var"
    ? (u: number) => 1 + 0.5 * u
    : (u: number) => 0.2 * u;
  return { dtype: "F32", shape, data: drawn(name, fanIn * shape[0], value) };
}

/** Outputs and kernels of each block's convolutions, and what they take: the block's input or another. */
type Table = Record<string, [outputs: number, kh: number, kw: number, from?: string]>;

const A = (pool: number): Table => ({
  branch1x1: [64, 1, 1],
  branch5x5_1: [48, 1, 1],
  branch5x5_2: [64, 5, 5, "branch5x5_1"],
  branch3x3dbl_1: [64, 1, 1],
  branch3x3dbl_2: [96, 3, 3, "branch3x3dbl_1"],
  branch3x3dbl_3: [96, 3, 3, "branch3x3dbl_2"],
  branch_pool: [pool, 1, 1],
});
const B: Table = {
  branch3x3: [384, 3, 3],
  branch3x3dbl_1: [64, 1, 1],
  branch3x3dbl_2: [96, 3, 3, "branch3x3dbl_1"],
  branch3x3dbl_3: [96, 3, 3, "branch3x3dbl_2"],
};
const C = (k: number): Table => ({
  branch1x1: [192, 1, 1],
  branch7x7_1: [k, 1, 1],
  branch7x7_2: [k, 1, 7, "branch7x7_1"],
  branch7x7_3: [192, 7, 1, "branch7x7_2"],
  branch7x7dbl_1: [k, 1, 1],
  branch7x7dbl_2: [k, 7, 1, "branch7x7dbl_1"],
  branch7x7dbl_3: [k, 1, 7, "branch7x7dbl_2"],
  branch7x7dbl_4: [k, 7, 1, "branch7x7dbl_3"],
  branch7x7dbl_5: [192, 1, 7, "branch7x7dbl_4"],
  branch_pool: [192, 1, 1],
});
const D: Table = {
  branch3x3_1: [192, 1, 1],
  branch3x3_2: [320, 3, 3, "branch3x3_1"],
  branch7x7x3_1: [192, 1, 1],
  branch7x7x3_2: [192, 1, 7, "branch7x7x3_1"],
  branch7x7x3_3: [192, 7, 1, "branch7x7x3_2"],
  branch7x7x3_4: [192, 3, 3, "branch7x7x3_3"],
};
const E: Table = {
  branch1x1: [320, 1, 1],
  branch3x3_1: [384, 1, 1],
  branch3x3_2a: [384, 1, 3, "branch3x3_1"],
  branch3x3_2b: [384, 3, 1, "branch3x3_1"],
  branch3x3dbl_1: [448, 1, 1],
  branch3x3dbl_2: [384, 3, 3, "branch3x3dbl_1"],
  branch3x3dbl_3a: [384, 1, 3, "branch3x3dbl_2"],
  branch3x3dbl_3b: [384, 3, 1, "branch3x3dbl_2"],
  branch_pool: [192, 1, 1],
};

/**
 * Every tensor of the network by its name in a file, batch norms not folded.
 *
 * @param narrow By how many the channels are divided.
 */
export function drawnInception(narrow: number): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const put = (name: string, shape: number[]) => entries.set(name, draw(name, shape));
  const conv = (path: string, C: number, O: number, kh: number, kw: number) => {
    put(`${path}.conv.weight`, [O, C, kh, kw]);
    for (const part of ["weight", "bias", "running_mean", "running_var"]) {
      put(`${path}.bn.${part}`, [O]);
    }
  };
  const c = (channels: number) => channels / narrow;
  conv("Conv2d_1a_3x3", 3, c(32), 3, 3);
  conv("Conv2d_2a_3x3", c(32), c(32), 3, 3);
  conv("Conv2d_2b_3x3", c(32), c(64), 3, 3);
  conv("Conv2d_3b_1x1", c(64), c(80), 1, 1);
  conv("Conv2d_4a_3x3", c(80), c(192), 3, 3);
  for (
    const [path, inputs, table] of [
      ["Mixed_5b", 192, A(32)],
      ["Mixed_5c", 256, A(64)],
      ["Mixed_5d", 288, A(64)],
      ["Mixed_6a", 288, B],
      ["Mixed_6b", 768, C(128)],
      ["Mixed_6c", 768, C(160)],
      ["Mixed_6d", 768, C(160)],
      ["Mixed_6e", 768, C(192)],
      ["Mixed_7a", 768, D],
      ["Mixed_7b", 1280, E],
      ["Mixed_7c", 2048, E],
    ] as const
  ) {
    for (const [name, [outputs, kh, kw, from]] of Object.entries(table)) {
      conv(`${path}.${name}`, c(from ? table[from][0] : inputs), c(outputs), kh, kw);
    }
  }
  put("fc.weight", [c(1008), c(2048)]);
  return entries;
}

/** The net of the fixture, with an eighth of the channels. */
export function narrowInception(): Map<string, Entry> {
  return drawnInception(8);
}
