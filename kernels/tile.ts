/**
 * The loops of kernels/gemm.ts for GPUs: a workgroup brings tiles of both operands into its shared
 * memory, each number once, and computes `wy MR` rows by `4 wx NV` columns from there.
 *
 * While one pair of tiles is multiplied the next is on its way into registers. The product is unrolled
 * along its terms, so that every read of shared memory has a place known beforehand and only a few
 * indices, none of which change, are checked against the bounds. Operands come as tensors lie, without
 * frames of zeros: what is outside a picture is not read.
 *
 * @module
 */
import { memo } from "../gpu/memo.ts";
import {
  finishing,
  GATHER_PARAMS,
  gatherClass,
  gatherLabel,
  type GatherRecipe,
  gatherStore,
  head,
  lines,
  preamble,
  range,
  sourceKernel,
  storing,
  weightLabel,
  type WeightRecipe,
} from "./gemm_source.ts";
import type { Plan } from "./plan.ts";

const WEIGHT_PARAMS = `struct Params {
  pixels: u32, perPart: u32, parts: u32, OY: u32, OX: u32, S: u32, kh: u32, kw: u32, pad: u32,
  IC: u32, OC: u32, I4: u32, O4: u32, rowGroups: u32, colGroups: u32, A_rows: u32, A_columns: u32,
  scale: f32,
}`;

/** Sizes of a plan's tiles, in texels of four numbers, and how many invocations bring them. */
function sizes({ MR, NV, KU, wx, wy }: Plan) {
  return { rows: wy * MR, rows4: wy * MR / 4, cols4: wx * NV, K4: KU / 4, threads: wx * wy };
}

/**
 * Declares both tiles: `ta[row / 4][k]` holds four rows of A, `tb[column / 4][k]` four columns of B. The
 * one more in each line keeps neighbours in different banks.
 */
function tiles(plan: Plan): string {
  const { rows4, cols4 } = sizes(plan), line = `array<vec4f, ${plan.KU + 1}>`;
  return `var<workgroup> ta: array<${line}, ${rows4}>;
var<workgroup> tb: array<${line}, ${cols4}>;`;
}

/**
 * Which of `texels` texels, `width` side by side, an invocation brings: one in each of `count` lines that
 * are `step` apart, if it is one of the first `busy`.
 */
function share(texels: number, width: number, threads: number) {
  const count = Math.max(1, texels / threads);
  return { count, step: threads / width, busy: Math.min(texels, threads) };
}

/** `body`, for the first `busy` invocations. */
function first(busy: number, threads: number, body: string): string {
  return busy < threads ? `if (l.x < ${busy}) {\n${body}\n}` : body;
}

/** Where an invocation's sums are. */
function begin(plan: Plan): string {
  const { MR, NV, wx } = plan, { rows, cols4 } = sizes(plan);
  return lines(
    `let lx = l.x % ${wx}; let ly = l.x / ${wx};
let firstCol = g % p.colGroups * ${cols4}; let col = firstCol + lx;
let firstRow = g / p.colGroups % p.rowGroups * ${rows}; let row = firstRow + 4 * ly;`,
    range(MR).flatMap((r) => range(NV).map((v) => `var c${r}_${v} = vec4f();`)),
  );
}

/** Row `r` of an invocation's sums: four by four, with those of the others between. */
function rowOf(r: number, { wy }: Plan): string {
  return `row + ${4 * wy * (r >> 2) + (r & 3)}`;
}

/** Adds the product of both tiles to the sums. */
function multiply({ MR, NV, KU, wx, wy }: Plan): string {
  return lines(
    range(KU).flatMap((k) => [
      `{`,
      ...range(MR / 4).map((r) => `let x${r} = ta[ly + ${r * wy}][${k}];`),
      ...range(NV).map((v) => `let b${v} = tb[lx + ${v * wx}][${k}];`),
      ...range(MR).flatMap((r) =>
        range(NV).map((v) => `c${r}_${v} += x${r >> 2}.${"xyzw"[r & 3]} * b${v};`)
      ),
      `}`,
    ]),
  );
}

/**
 * The loop over steps `first` to `last`: `fetch` brings a step's texels into registers, `keep` from there
 * into the tiles, `advance` goes to the next step.
 */
function stepped(plan: Plan, fetch: string, keep: string, advance: string): string {
  return `if (first < last) {
${fetch}
}
for (var step = first; step < last; step++) {
workgroupBarrier();
${keep}
workgroupBarrier();
${advance}
if (step + 1 < last) {
${fetch}
}
${multiply(plan)}
}`;
}

/** A gather, as `gatherKernel` of kernels/gemm.ts. */
export const tiledGather = memo((recipe: GatherRecipe) =>
  sourceKernel({ label: gatherLabel(recipe), code: gatherSource(recipe) })
);

function gatherSource({ plan, transposed, finish }: GatherRecipe): string {
  const { MR, NV, KU, wx } = plan, { rows, cols4, K4, threads } = sizes(plan);
  const { flipped = false, ...columns } = finish;
  const a = share(rows * K4, K4, threads);
  // Of a flipped B four terms of a column at a time, as of A; else four columns of a term.
  const b = flipped ? share(4 * cols4 * K4, K4, threads) : share(KU * cols4, cols4, threads);
  const y = storing(columns, "p.OC"), end = finishing(columns);
  const fetch = lines(
    `let at = (ty * p.A_columns + tx) * p.I4 + k; let some = k + ka < p.I4;`,
    range(a.count).map((i) =>
      `a${i} = Stored();
if (some && iy${i} + ty < p.A_rows && ix${i} + tx < p.A_columns) { a${i} = A[pa${i} + at]; }`
    ),
    transposed
      ? `let tap = (ry + p.E * (tapsY - 1 - ty)) * p.kw + rx + p.E * (tapsX - 1 - tx) + image;`
      : `let tap = ty * p.kw + tx + image;`,
    // Behind the last channel A is 0, and B is anything that exists.
    flipped
      ? `let bt = tap * p.B_rows * p.B_width + min(k + ka, p.B_width - 1);`
      : `let bt = tap * p.B_rows; let kb = 4 * k + l.x / ${cols4};`,
    first(
      b.busy,
      threads,
      lines(
        range(b.count).map((i) =>
          flipped
            ? `b${i} = B[pb${i} + bt];`
            : `b${i} = B[(bt + min(kb + ${i * b.step}, p.B_rows - 1)) * p.B_width + cb];`
        ),
      ),
    ),
  );
  // Texels of four terms of a row (or column) into a tile.
  const byTerms = (tile: string, name: string, { count, step, busy }: typeof a) =>
    first(
      busy,
      threads,
      lines(
        range(count).flatMap((i) => [
          `{ let r = l.x / ${K4} + ${i * step}; let x = vec4f(${name}${i});`,
          ...range(4).map((q) => `${tile}[r / 4][4 * ka + ${q}][r % 4] = x.${"xyzw"[q]};`),
          `}`,
        ]),
      ),
    );
  const keep = lines(
    byTerms("ta", "a", a),
    flipped ? byTerms("tb", "b", b) : first(
      b.busy,
      threads,
      lines(
        range(b.count).map((i) =>
          `tb[l.x % ${cols4}][l.x / ${cols4} + ${i * b.step}] = vec4f(b${i});`
        ),
      ),
    ),
  );
  return lines(
    preamble(plan),
    GATHER_PARAMS,
    `@group(0) @binding(0) var<storage, read> A: array<Stored>;
@group(0) @binding(1) var<storage, read> B: array<Stored>;`,
    y.declare,
    end.declare,
    tiles(plan),
    head(threads),
    gatherClass(transposed),
    begin(plan),
    `let ka = l.x % ${K4};`,
    range(a.count).map((i) =>
      `let m${i} = min(firstRow + l.x / ${K4} + ${i * a.step}, p.rows - 1);
let ix${i} = m${i} % p.TX * p.S + x0; let iy${i} = m${i} / p.TX % p.TY * p.S + y0;
let pa${i} = (((m${i} / (p.TX * p.TY) + image) * p.A_rows + iy${i}) * p.A_columns + ix${i}) * p.I4 + ka;
var a${i} = Stored();`
    ),
    flipped
      ? range(b.count).map((i) =>
        `let pb${i} = min(4 * firstCol + l.x / ${K4} + ${i * b.step}, p.B_rows - 1) * p.B_width;`
      )
      : `let cb = min(firstCol + l.x % ${cols4}, p.B_width - 1);`,
    range(b.count).map((i) => `var b${i} = Stored();`),
    `let perTap = (p.I4 + ${K4 - 1}) / ${K4};
let first = part * p.perPart; let last = min(first + p.perPart, tapsY * tapsX * perTap);
var k = first % perTap * ${K4}; var tx = first / perTap % max(tapsX, 1);
var ty = first / perTap / max(tapsX, 1);`,
    stepped(
      plan,
      fetch,
      keep,
      `k += ${K4};
if (k >= p.I4) { k = 0; tx++; if (tx == tapsX) { tx = 0; ty++; } }`,
    ),
    range(NV).map((v) => end.load(v, `(col + ${v * wx})`)),
    range(MR).map((r) =>
      gatherStore(
        rowOf(r, plan),
        range(NV).flatMap((v) => [
          end.end(v, `c${r}_${v}`),
          y.store("at", `(col + ${v * wx})`, `c${r}_${v}`),
        ]),
      )
    ),
    `}`,
  );
}

/**
 * A weight gradient, as `weightKernel` of kernels/gemm.ts. Rows are the channels of all taps, one tap
 * after the other; terms are pixels, line after line.
 */
export const tiledWeight = memo((recipe: WeightRecipe) =>
  sourceKernel({ label: weightLabel(recipe), code: weightSource(recipe) })
);

function weightSource({ plan, vec4 }: WeightRecipe): string {
  const { MR, NV, KU, wx } = plan, { rows4, cols4, threads } = sizes(plan);
  const a = share(KU * rows4, rows4, threads), b = share(KU * cols4, cols4, threads);
  const y = storing({ vec4 }, "p.OC");
  const fetch = lines(
    first(
      a.busy,
      threads,
      lines(
        range(a.count).map((i) =>
          `{ let pixel = k + l.x / ${rows4} + ${i * a.step};
let line = over(pixel, p.OX); let n = over(line, p.OY);
let iy = (line - n * p.OY) * p.S + dy; let ix = (pixel - line * p.OX) * p.S + dx;
a${i} = Stored();
if (pixel < end && iy < p.A_rows && ix < p.A_columns) {
a${i} = A[((n * p.A_rows + iy) * p.A_columns + ix) * p.I4 + ca]; } }`
        ),
      ),
    ),
    first(
      b.busy,
      threads,
      lines(
        range(b.count).map((i) =>
          `{ let pixel = k + l.x / ${cols4} + ${i * b.step};
b${i} = Stored();
if (pixel < end) { b${i} = G[pixel * p.O4 + cb]; } }`
        ),
      ),
    ),
  );
  const kept = (tile: string, name: string, { count, step, busy }: typeof a, width: number) =>
    first(
      busy,
      threads,
      lines(
        range(count).map((i) =>
          `${tile}[l.x % ${width}][l.x / ${width} + ${i * step}] = vec4f(${name}${i});`
        ),
      ),
    );
  const keep = lines(kept("ta", "a", a, rows4), kept("tb", "b", b, cols4));
  return lines(
    preamble(plan),
    WEIGHT_PARAMS,
    `@group(0) @binding(0) var<storage, read> A: array<Stored>;
@group(0) @binding(1) var<storage, read> G: array<Stored>;`,
    y.declare,
    tiles(plan),
    // Integer division is dear: by way of floats it is off by one at most.
    `fn over(a: u32, b: u32) -> u32 {
let q = u32(f32(a) / f32(b)); let rest = i32(a - q * b);
return q + select(0u, 1u, rest >= i32(b)) - select(0u, 1u, rest < 0);
}`,
    head(threads),
    `let part = g / (p.colGroups * p.rowGroups);
if (part >= p.parts) { return; }
let taps = p.kh * p.kw;`,
    begin(plan),
    `let texel = min(firstRow / 4 + l.x % ${rows4}, taps * p.I4 - 1);
let ca = texel % p.I4; let dy = texel / p.I4 / p.kw - p.pad; let dx = texel / p.I4 % p.kw - p.pad;
let cb = min(firstCol + l.x % ${cols4}, p.O4 - 1);
let end = min((part + 1) * p.perPart, p.pixels); var k = part * p.perPart;
let first = 0u; let last = (end - min(end, k) + ${KU - 1}) / ${KU};`,
    range(a.count).map((i) => `var a${i} = Stored();`),
    range(b.count).map((i) => `var b${i} = Stored();`),
    stepped(plan, fetch, keep, `k += ${KU};`),
    range(MR).map((r) =>
      lines(
        `{ let texel = (${rowOf(r, plan)}) / 4; let c = texel % p.I4 * 4 + ${r & 3};
if (texel < taps * p.I4 && c < p.IC) { let at = (part * taps + texel / p.I4) * p.IC + c;`,
        range(NV).map((v) => y.store("at", `(col + ${v * wx})`, `(p.scale * c${r}_${v})`)),
        `} }`,
      )
    ),
    `}`,
  );
}
