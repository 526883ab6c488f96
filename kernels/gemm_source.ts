/**
 * Pieces of source that the GEMM kernels share.
 *
 * @module
 */
import { kernel } from "../gpu/kernel.ts";
import { memo } from "../gpu/memo.ts";
import type { Plan } from "./plan.ts";

/** `[0, 1, ..., n - 1]`, to unroll with. */
export function range(n: number): number[] {
  return [...Array(n).keys()];
}

export function lines(...parts: (string | string[])[]): string {
  return parts.flat().join("\n");
}

/** A plan in short, for messages and profiles. */
function described(
  { load, MR, NV, KU, single, wx, wy, wz, share, precision }: Plan,
  { vec4, bias, relu, flipped }: Finish,
): string {
  const half = precision === "f16" ? " f16" : "";
  return `${load} MR${MR} NV${NV} KU${KU}${single ? "!" : ""} ${wx}x${wy}x${wz}` +
    `${share === "none" ? "" : ` share ${share}`}${flipped ? " flipped" : ""}` +
    `${vec4 ? "" : " scalar"}${bias ? " bias" : ""}${relu ? " relu" : ""}${half}`;
}

/** What a gather's kernel is made from. */
export interface GatherRecipe {
  readonly plan: Plan;
  readonly transposed: boolean;
  readonly finish: Finish;
}

/** What a weight gradient's kernel is made from. */
export interface WeightRecipe {
  readonly plan: Plan;
  readonly vec4: boolean;
}

/** The kernel of a finished source: recipes that differ only in what the source does not show share it. */
export const sourceKernel = memo(({ label, code }: { label: string; code: string }) =>
  kernel(label, code)
);

export function gatherLabel({ plan, transposed, finish }: GatherRecipe): string {
  return `${transposed ? "gather_transposed" : "gather"} ${described(plan, finish)}`;
}

export function weightLabel({ plan, vec4 }: WeightRecipe): string {
  return `weight ${described(plan, { vec4 })}`;
}

/** What a kernel does besides the product. */
export interface Finish {
  /** Whether columns come in fours. */
  readonly vec4: boolean;
  /** Whether a row of B holds the terms of a column, instead of the columns of a term. */
  readonly flipped?: boolean;
  /** Whether `bias` is added, one number a column. */
  readonly bias?: boolean;
  /** Whether they end with a leaky ReLU of `p.slope`. */
  readonly relu?: boolean;
}

/** The source of a {@linkcode Finish}; sums are of four columns, or of one if flipped. */
export function finishing({ bias, relu, flipped }: Finish) {
  const type = flipped ? "f32" : "vec4f";
  return {
    declare: bias ? `@group(0) @binding(4) var<storage, read> bias: array<${type}>;` : "",
    /** Loads what finishes sums `v` of an invocation, those of column or column texel `col`. */
    load: (v: number, col: string) => bias ? `let d${v} = bias[${col}];` : "",
    /** Finishes the sum `c` of those. */
    end: (v: number, c: string) =>
      lines(
        `${c} = p.scale * ${c}${bias ? ` + d${v}` : ""};`,
        relu ? `${c} = select(p.slope * ${c}, ${c}, ${c} > ${type}());` : "",
      ),
  };
}

/** What a kernel's text begins with: what four numbers of an operand are stored as. */
export function preamble({ precision }: Plan): string {
  return precision === "f16" ? "enable f16;\nalias Stored = vec4<f16>;" : "alias Stored = vec4f;";
}

/**
 * Declares operand `name` and gives the expression that reads its texel (layer, row, column): a vec4f
 * from a texture, else what is stored.
 */
export function operand(name: string, binding: number, plan: Plan) {
  const format = plan.precision === "f16" ? "rgba16float" : "rgba32float";
  return plan.load === "texture"
    ? {
      declare:
        `@group(0) @binding(${binding}) var ${name}: texture_storage_2d_array<${format}, read>;`,
      at: (layer: string, row: string, col: string) =>
        `textureLoad(${name}, vec2u(${col}, ${row}), ${layer})`,
    }
    : {
      declare: `@group(0) @binding(${binding}) var<storage, read> ${name}: array<Stored>;`,
      at: (layer: string, row: string, col: string) =>
        `${name}[((${layer}) * p.${name}_rows + ${row}) * p.${name}_width + ${col}]`,
    };
}

/** Stores accumulators to `y`, an array of rows of `cols` numbers, at row `at`. */
export function storing({ vec4, flipped }: Finish, cols: string) {
  if (flipped) {
    return {
      declare: `@group(0) @binding(2) var<storage, read_write> y: array<f32>;`,
      store: (at: string, col: string, value: string) =>
        `if (${col} < ${cols}) { y[(${at}) * ${cols} + ${col}] = ${value}; }`,
    };
  }
  return {
    declare: `@group(0) @binding(2) var<storage, read_write> y: array<${vec4 ? "vec4f" : "f32"}>;`,
    store: (at: string, col: string, value: string) =>
      vec4
        ? `if (4 * (${col}) < ${cols}) { y[(${at}) * (${cols} / 4) + ${col}] = ${value}; }`
        : lines(
          range(4).map((q) =>
            `if (4 * (${col}) + ${q} < ${cols}) { y[(${at}) * ${cols} + 4 * (${col}) + ${q}] = ${value}.${
              "xyzw"[q]
            }; }`
          ),
        ),
  };
}

/**
 * The first column (in vec4, or single if flipped) and row of an invocation. Workgroups have one axis,
 * which is the only one that the software device vectorises along. What is the same for all lanes is
 * not made of `l`, so that its loads are found to be one.
 */
export function place({ MR, NV, wx, wy, wz, share }: Plan, flipped = false): string {
  const lx = wx === 1 ? "" : wy * wz === 1 ? " + l.x" : ` + l.x % ${wx}`;
  const ly = wy === 1 || share === "B" ? "" : ` + l.x / ${wx}${wz === 1 ? "" : ` % ${wy}`}`;
  return `let col = g % p.colGroups * ${wx * NV * (flipped ? 4 : 1)}${lx};
let row = (g / p.colGroups % p.rowGroups * ${wy}${ly}) * ${MR};`;
}

/**
 * A loop over `name` in steps of `step`; none where one step is all there is, as each level of loops
 * costs the software device masks for every accumulator.
 */
export function loop(name: string, end: string, step: number, single: boolean): string {
  return single
    ? `{ let ${name} = 0u;`
    : `for (var ${name} = 0u; ${name} < ${end}; ${name} += ${step}) {`;
}

/** `c = c + x.x b0 + x.y b1 + ...`: one long sum, which compiles best. */
export function accumulate(
  c: string,
  KU: number,
  x: (k: number) => string,
  b: (k: number) => string,
) {
  return `${c} = ${c}${range(KU).map((k) => ` + ${x(k)} * ${b(k)}`).join("")};`;
}

/** The binding of the sizes, and the head of the entry point. */
export function head(invocations: number): string {
  return `@group(0) @binding(3) var<uniform> p: Params;
@compute @workgroup_size(${invocations})
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) l: vec3u) {
let g = w.x + w.y * groups.x;`;
}

/** Sizes of a gather. */
export const GATHER_PARAMS = `struct Params {
  rows: u32, TY: u32, TX: u32, S: u32, E: u32, kh: u32, kw: u32, pad: u32, top: u32, left: u32,
  H: u32, W: u32, OC: u32, I4: u32, rowGroups: u32, colGroups: u32, images: u32,
  A_rows: u32, A_width: u32, B_rows: u32, B_width: u32, scale: f32, slope: f32,
  A_columns: u32, parts: u32, perPart: u32, pixels: u32,
}`;

/**
 * Which product, class and part of the sum a workgroup of a gather serves, and where the windows of
 * that begin.
 */
export function gatherClass(transposed: boolean): string {
  return lines(
    `let every = g / (p.colGroups * p.rowGroups); let z = every / p.parts; let part = every % p.parts;
if (z >= p.images * p.E * p.E) { return; }
let class_ = z % (p.E * p.E);
let image = z / (p.E * p.E);
let cy = class_ / p.E; let cx = class_ % p.E;`,
    transposed
      ? `let ry = (cy + p.pad) % p.E; let rx = (cx + p.pad) % p.E;
let tapsY = select(0u, (p.kh - ry + p.E - 1) / p.E, ry < p.kh);
let tapsX = select(0u, (p.kw - rx + p.E - 1) / p.E, rx < p.kw);
let y0 = p.top + (cy + p.pad) / p.E + 1 - tapsY; let x0 = p.left + (cx + p.pad) / p.E + 1 - tapsX;`
      : `let tapsY = p.kh; let tapsX = p.kw;
let y0 = p.top - p.pad; let x0 = p.left - p.pad;`,
  );
}

/** Row `row` of the product as `m`, `ix`, `iy` and `n`, each with `r` behind: its window in A. */
export function gatherRow(r: number, row: string): string {
  return `let m${r} = min(${row}, p.rows - 1); let ix${r} = (m${r} % p.TX * p.S + x0) * p.I4;
let iy${r} = m${r} / p.TX % p.TY * p.S + y0; let n${r} = m${r} / (p.TX * p.TY) + image;`;
}

/** A loop over the taps of a class; it takes two more braces to end. */
export function gatherTaps(transposed: boolean): string {
  return lines(
    `for (var ty = 0u; ty < tapsY; ty++) { for (var tx = 0u; tx < tapsX; tx++) {`,
    transposed
      ? `let tap = (ry + p.E * (tapsY - 1 - ty)) * p.kw + rx + p.E * (tapsX - 1 - tx) + image;`
      : `let tap = ty * p.kw + tx + image;`,
  );
}

/** Runs `stores` for row `row` of the product, if it and its pixel `at` exist. */
export function gatherStore(row: string, stores: readonly string[]): string {
  return lines(
    `{ let m = ${row}; let h = m / p.TX % p.TY * p.E + cy; let w = m % p.TX * p.E + cx;
if (m < p.rows && h < p.H && w < p.W) {
let at = ((m / (p.TX * p.TY) + image) * p.H + h) * p.W + w + part * p.pixels;`,
    [...stores],
    `} }`,
  );
}

/** Sizes of a weight gradient. */
export const WEIGHT_PARAMS = `struct Params {
  lines: u32, perPart: u32, parts: u32, OY: u32, OX: u32, S: u32, kh: u32, kw: u32, top: u32,
  left: u32, g_top: u32, g_left: u32, IC: u32, OC: u32, I4: u32, O4: u32, rowGroups: u32,
  colGroups: u32, A_rows: u32, A_width: u32, G_rows: u32, G_width: u32, scale: f32,
}`;

/** Which tap and part number `z` of a weight gradient is. */
export const WEIGHT_TAP = `let taps = p.kh * p.kw;
if (z >= taps * p.parts) { return; }
let tap = z % taps; let part = z / taps;
let ky = tap / p.kw + p.top; let kx = tap % p.kw + p.left;`;

/** Stores row `r` of those from `row` on, if it exists. */
export function weightStore(r: number, stores: readonly string[]): string {
  return lines(
    `if (row + ${r} < p.IC) { let at = z * p.IC + row + ${r};`,
    [...stores],
    `}`,
  );
}
