/**
 * The two inner loops behind matrix products and convolutions.
 *
 * Their source is put together here, because unrolled loops over named vec4 accumulators are five
 * times faster than indexed arrays. A {@linkcode Plan} says how; results do not depend on it beyond
 * rounding. Shapes are uniforms, so a plan is compiled once.
 *
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";
import { type Kernel, kernel } from "../gpu/kernel.ts";
import type { Load } from "./panel.ts";

/** How a GEMM kernel is unrolled and spread over invocations. */
export interface Plan {
  readonly load: Load;
  /** Rows an invocation (a multiple of 4 in {@linkcode weightKernel}). */
  readonly MR: number;
  /** vec4 columns an invocation. */
  readonly NV: number;
  /** Terms a loop step, a multiple of 4. */
  readonly KU: number;
  /** Whether one step of the innermost loop is all there is. */
  readonly single: boolean;
  /**
   * Workgroup: `wx` invocations side by side along columns, `wy` along rows, and for weight gradients
   * `wz` along taps and parts.
   */
  readonly wx: number;
  readonly wy: number;
  readonly wz: number;
}

/** `[0, 1, ..., n - 1]`, to unroll with. */
function range(n: number): number[] {
  return [...Array(n).keys()];
}

function lines(...parts: (string | string[])[]): string {
  return parts.flat().join("\n");
}

function described({ load, MR, NV, KU, single, wx, wy, wz }: Plan, vec4: boolean): string {
  return `${load} MR${MR} NV${NV} KU${KU}${single ? "!" : ""} ${wx}x${wy}x${wz}${
    vec4 ? "" : " scalar"
  }`;
}

const kernels = new Map<string, Kernel>();

function cached(name: string, make: () => string): Kernel {
  const known = kernels.get(name);
  if (known) return known;
  const made = kernel(name, make());
  kernels.set(name, made);
  return made;
}

/** Declares operand `name` and gives the expression that reads its texel (layer, row, column). */
function operand(name: string, binding: number, load: Load) {
  return load === "texture"
    ? {
      declare:
        `@group(0) @binding(${binding}) var ${name}: texture_storage_2d_array<rgba32float, read>;`,
      at: (layer: string, row: string, col: string) =>
        `textureLoad(${name}, vec2u(${col}, ${row}), ${layer})`,
    }
    : {
      declare: `@group(0) @binding(${binding}) var<storage, read> ${name}: array<vec4f>;`,
      at: (layer: string, row: string, col: string) =>
        `${name}[((${layer}) * p.${name}_rows + ${row}) * p.${name}_width + ${col}]`,
    };
}

/** Stores vec4 accumulators to `y`, an array of rows of `cols` numbers, at row `at`. */
function storing(vec4: boolean, cols: string) {
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
 * The first column (in vec4) and row of an invocation. Workgroups have one axis, which is the only one
 * that the software device vectorises along. What is the same for all lanes is not made of `l`, so
 * that its loads are found to be one.
 */
function place({ MR, NV, wx, wy, wz }: Plan): string {
  const lx = wx === 1 ? "" : wy * wz === 1 ? " + l.x" : ` + l.x % ${wx}`;
  const ly = wy === 1 ? "" : ` + l.x / ${wx}${wz === 1 ? "" : ` % ${wy}`}`;
  return `let col = g % p.colGroups * ${wx * NV}${lx};
let row = (g / p.colGroups % p.rowGroups * ${wy}${ly}) * ${MR};`;
}

/**
 * A loop over `name` in steps of `step`; none where one step is all there is, as each level of loops
 * costs the software device masks for every accumulator.
 */
function loop(name: string, end: string, step: number, single: boolean): string {
  return single
    ? `{ let ${name} = 0u;`
    : `for (var ${name} = 0u; ${name} < ${end}; ${name} += ${step}) {`;
}

/** `c = c + x.x b0 + x.y b1 + ...`: one long sum, which compiles best. */
function accumulate(c: string, KU: number, x: (k: number) => string, b: (k: number) => string) {
  return `${c} = ${c}${range(KU).map((k) => ` + ${x(k)} * ${b(k)}`).join("")};`;
}

/**
 * Gathers: `y[n, oy, ox, o] = sum over taps and channels of A[n, iy, ix, c] B[tap, c, o]`.
 *
 * Forward (a convolution, or with one tap a matrix product): `iy = oy S + ty - pad`.
 * Transposed: outputs fall into S x S classes by their place modulo S; within a class it is a
 * convolution of stride 1 with every S-th tap.
 *
 * Rows of the product are output pixels `(n, oy, ox)`, flattened; columns are output channels.
 */
export function gatherKernel(plan: Plan, transposed: boolean, vec4: boolean): Kernel {
  const { load, MR, NV, KU, single, wx, wy } = plan;
  const name = `${transposed ? "gather_transposed" : "gather"} ${described(plan, vec4)}`;
  return cached(name, () => {
    const A = operand("A", 0, load), B = operand("B", 1, load), y = storing(vec4, "p.OC");
    return lines(
      `struct Params {
  rows: u32, TY: u32, TX: u32, S: u32, E: u32, kh: u32, kw: u32, pad: u32, top: u32, left: u32,
  H: u32, W: u32, OC: u32, I4: u32, rowGroups: u32, colGroups: u32, images: u32,
  A_rows: u32, A_width: u32, B_rows: u32, B_width: u32,
}`,
      A.declare,
      B.declare,
      y.declare,
      `@group(0) @binding(3) var<uniform> p: Params;
@compute @workgroup_size(${wx * wy})
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) l: vec3u) {
let g = w.x + w.y * groups.x;
let z = g / (p.colGroups * p.rowGroups);
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
      `${place(plan)}`,
      range(MR).map((r) =>
        `let m${r} = min(row + ${r}, p.rows - 1); let ix${r} = (m${r} % p.TX * p.S + x0) * p.I4;
let iy${r} = m${r} / p.TX % p.TY * p.S + y0; let n${r} = m${r} / (p.TX * p.TY) + image;
${range(NV).map((v) => `var c${r}_${v} = vec4f();`).join(" ")}`
      ),
      `for (var ty = 0u; ty < tapsY; ty++) { for (var tx = 0u; tx < tapsX; tx++) {`,
      transposed
        ? `let tap = (ry + p.E * (tapsY - 1 - ty)) * p.kw + rx + p.E * (tapsX - 1 - tx) + image;`
        : `let tap = ty * p.kw + tx + image;`,
      range(MR).map((r) => `let ax${r} = ix${r} + tx * p.I4; let ay${r} = iy${r} + ty;`),
      loop("k", "p.I4", KU / 4, single),
      `let kb = 4 * k;`,
      range(KU).flatMap((k) =>
        range(NV).map((v) => `let b${k}_${v} = ${B.at("tap", `kb + ${k}`, `col + ${v * wx}`)};`)
      ),
      range(MR).flatMap((r) => [
        ...range(KU / 4).map((u) =>
          `let a${r}_${u} = ${A.at(`n${r}`, `ay${r}`, `ax${r} + k + ${u}`)};`
        ),
        ...range(NV).map((v) =>
          accumulate(
            `c${r}_${v}`,
            KU,
            (k) => `a${r}_${k >> 2}.${"xyzw"[k & 3]}`,
            (k) => `b${k}_${v}`,
          )
        ),
      ]),
      `} } }`,
      range(MR).map((r) =>
        lines(
          `{ let h = m${r} / p.TX % p.TY * p.E + cy; let w = m${r} % p.TX * p.E + cx;
if (row + ${r} < p.rows && h < p.H && w < p.W) { let at = (n${r} * p.H + h) * p.W + w;`,
          range(NV).map((v) => y.store("at", `(col + ${v * wx})`, `c${r}_${v}`)),
          `} }`,
        )
      ),
      `}`,
    );
  });
}

/**
 * Weight gradients: `y[part, tap, c, o] = sum over pixels of A[n, iy, ix, c] G[n, oy, ox, o]`.
 *
 * Rows are input channels, columns output channels; the lines of pixels `(n, oy)` are dealt out to
 * `parts`, whose sums are added afterwards (split-K).
 */
export function weightKernel(plan: Plan, vec4: boolean): Kernel {
  const { load, MR, NV, KU, single, wx, wy, wz } = plan;
  const name = `weight ${described(plan, vec4)}`;
  return cached(name, () => {
    const A = operand("A", 0, load), G = operand("G", 1, load), y = storing(vec4, "p.OC");
    return lines(
      `struct Params {
  lines: u32, perPart: u32, parts: u32, OY: u32, OX: u32, S: u32, kh: u32, kw: u32, top: u32,
  left: u32, g_top: u32, g_left: u32, IC: u32, OC: u32, I4: u32, O4: u32, rowGroups: u32,
  colGroups: u32, A_rows: u32, A_width: u32, G_rows: u32, G_width: u32,
}`,
      A.declare,
      G.declare,
      y.declare,
      `@group(0) @binding(3) var<uniform> p: Params;
@compute @workgroup_size(${wx * wy * wz})
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) l: vec3u) {
let g = w.x + w.y * groups.x;
let z = g / (p.colGroups * p.rowGroups)${wz > 1 ? ` * ${wz} + l.x / ${wx * wy}` : ""};
let taps = p.kh * p.kw;
if (z >= taps * p.parts) { return; }
let tap = z % taps; let part = z / taps;
let ky = tap / p.kw + p.top; let kx = tap % p.kw + p.left;`,
      place(plan),
      range(MR).flatMap((r) => range(NV).map((v) => `var c${r}_${v} = vec4f();`)),
      // Counted, not divided: integer divisions are dear on the software device.
      `let first = part * p.perPart; let last = min(first + p.perPart, p.lines);
var n = first / p.OY; var oy = first % p.OY;
for (var line = first; line < last; line++) {
let iy = oy * p.S + ky; let gy = oy + p.g_top;
${loop("ox", "p.OX", KU, single)}
let ix = (ox * p.S + kx) * p.I4 + row / 4; let gx = (ox + p.g_left) * p.O4 + col;`,
      range(KU).flatMap((k) =>
        range(NV).map((v) => `let b${k}_${v} = ${G.at("n", "gy", `gx + ${k} * p.O4 + ${v * wx}`)};`)
      ),
      range(MR / 4).flatMap((r4) => [
        ...range(KU).map((k) =>
          `let a${k}_${r4} = ${A.at("n", "iy", `ix + ${k} * p.S * p.I4 + ${r4}`)};`
        ),
        ...range(4).flatMap((q) =>
          range(NV).map((v) =>
            accumulate(
              `c${4 * r4 + q}_${v}`,
              KU,
              (k) => `a${k}_${r4}.${"xyzw"[q]}`,
              (k) => `b${k}_${v}`,
            )
          )
        ),
      ]),
      `}
oy++;
if (oy == p.OY) { oy = 0; n++; }
}`,
      range(MR).map((r) =>
        lines(
          `if (row + ${r} < p.IC) { let at = z * p.IC + row + ${r};`,
          range(NV).map((v) => y.store("at", `(col + ${v * wx})`, `c${r}_${v}`)),
          `}`,
        )
      ),
      `}`,
    );
  });
}

/** What a plan is made for: sizes of the product `[rows, terms] x [terms, columns]`. */
export interface Problem {
  readonly rows: number;
  readonly columns: number;
  /** Length of the innermost sum: channels, as they are laid out; for a weight gradient, pixels a line. */
  readonly terms: number;
  /** True if textures can hold the operands. */
  readonly texture: boolean;
}

let forced: Partial<Plan> | undefined;

/** Makes every plan use these values, for tests and experiments; undefined ends it. */
export function forcePlan(plan: Partial<Plan> | undefined): void {
  forced = plan;
}

/** The smallest power of two that is not below `n`. */
function power(n: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(n)));
}

/** The plan for a gather. */
export function planGather({ rows, columns, terms, texture }: Problem): Plan {
  const { software, lanes, fastTextures } = deviceInfo(), C4 = Math.ceil(columns / 4);
  const load = fastTextures && texture ? "texture" : "buffer";
  if (!software) {
    const KU = 4, single = terms <= KU, plan = { load, MR: 8, KU, single, wz: 1 } as const;
    // Few columns leave lanes idle: then lanes are rows, and each takes all columns.
    if (columns <= 8) return { ...plan, NV: C4, wx: 1, wy: 64, ...forced, KU, single };
    const wx = power(Math.min(16, C4));
    return { ...plan, NV: 1, wx, wy: 128 / wx, ...forced, KU, single };
  }
  const KU = terms <= 16 ? terms : forced?.KU ?? 8, single = terms === KU;
  // As many columns an invocation as there are, and what lanes are left walk along rows.
  const NV = power(Math.min(4, C4)), wx = power(Math.min(lanes, C4 / NV)), wy = lanes / wx;
  const MR = power(Math.min(16, Math.max(2, rows / wy)));
  return { load, MR, NV, wx, wy, wz: 1, ...forced, KU, single };
}

/** The plan for a weight gradient. */
export function planWeight({ rows, columns, terms, texture }: Problem): Plan {
  const { software, lanes, fastTextures } = deviceInfo(), C4 = Math.ceil(columns / 4);
  const load = fastTextures && texture ? "texture" : "buffer";
  // The frame around G holds zeros for steps of four pixels.
  const KU = terms > 4 && terms <= 8 && software ? 8 : 4, single = terms <= KU;
  const MR = power(Math.min(software ? 16 : 8, Math.max(4, rows)));
  if (!software) {
    const wx = power(Math.min(16, C4));
    return { load, MR, NV: 1, wx, wy: 64 / wx, wz: 1, ...forced, KU, single };
  }
  // Lanes walk along rows, then along taps and parts.
  const NV = power(Math.min(4, C4)), wy = power(Math.min(4, rows / MR));
  return { load, MR, NV, wx: 1, wy, wz: lanes / wy, ...forced, KU, single };
}
