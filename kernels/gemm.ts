/**
 * The two inner loops behind matrix products and convolutions, for operands that every invocation
 * reads by itself.
 *
 * Their source is put together, because unrolled loops over named vec4 accumulators are five times
 * faster than indexed arrays. Shapes are uniforms, so a plan is compiled once.
 *
 * @module
 */
import { memo } from "../gpu/memo.ts";
import {
  accumulate,
  finishing,
  GATHER_PARAMS,
  gatherClass,
  gatherLabel,
  type GatherRecipe,
  gatherRow,
  gatherStore,
  gatherTaps,
  head,
  lines,
  loop,
  operand,
  place,
  preamble,
  range,
  sourceKernel,
  storing,
  WEIGHT_PARAMS,
  WEIGHT_TAP,
  weightLabel,
  type WeightRecipe,
  weightStore,
} from "./gemm_source.ts";

/** Texel `nth` of those in `names` that the lanes of a subgroup have loaded in turn, for all of them. */
function broadcast(names: string, nth: number, lanes: number): string {
  return `subgroupBroadcast(${names}${Math.floor(nth / lanes)}, ${nth % lanes}u)`;
}

/** Which of `count` texels to load into `names`: all, or in turn with the other lanes. */
function inTurn(names: string, count: number, lanes: number, texel: (nth: string) => string) {
  return range(Math.ceil(count / lanes)).map((i) =>
    `let ${names}${i} = vec4f(${texel(lanes === 1 ? `${i}u` : `(l.x + ${i * lanes})`)});`
  );
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
export const gatherKernel = memo((recipe: GatherRecipe) =>
  sourceKernel({ label: gatherLabel(recipe), code: gatherSource(recipe) })
);

function gatherSource({ plan, transposed, finish }: GatherRecipe): string {
  const { MR, NV, KU, single, wx, wy, share } = plan, lanes = wx * wy, { flipped } = finish;
  // Rows of A that an invocation loads, rows and columns that it sums up, and terms in fours.
  const loaded = range(share === "A" ? MR / lanes : MR), quads = range(KU / 4);
  const rows = range(MR), columns = range(flipped ? 4 * NV : NV);
  const spread = (r: number) => `row + ${r * lanes} + l.x`;
  const rowOf = (r: number) => share === "B" ? spread(r) : `row + ${r}`;
  const colOf = (v: number) => `(col + ${v * wx})`;
  const A = operand("A", 0, plan),
    B = operand("B", 1, plan),
    y = storing(finish, "p.OC"),
    end = finishing(finish);
  const loadB = flipped
    ? quads.flatMap((u) =>
      columns.map((v) => `let b${u}_${v} = vec4f(${B.at("tap", colOf(v), `k + ${u}`)});`)
    )
    : share === "B"
    ? inTurn(
      "theirs",
      KU * NV,
      lanes,
      (nth) => B.at("tap", `kb + ${nth} / ${NV}`, `col + ${nth} % ${NV}`),
    )
    : [];
  const b = (k: number, v: number) =>
    flipped
      ? ""
      : share === "B"
      ? `let b${k}_${v} = ${broadcast("theirs", k * NV + v, lanes)};`
      : `let b${k}_${v} = vec4f(${B.at("tap", `kb + ${k}`, colOf(v))});`;
  const a = (r: number, u: number) =>
    share === "A" ? broadcast(`mine${u}_`, r, lanes) : `mine${u}_${r}`;
  return lines(
    preamble(plan),
    GATHER_PARAMS,
    A.declare,
    B.declare,
    y.declare,
    end.declare,
    head(lanes),
    gatherClass(transposed),
    place(plan, flipped),
    loaded.map((r) => gatherRow(r, share === "A" ? spread(r) : rowOf(r))),
    rows.map((r) =>
      columns.map((v) => `var c${r}_${v} = ${flipped ? "f32" : "vec4f"}();`).join(" ")
    ),
    gatherTaps(transposed),
    loaded.map((r) => `let ax${r} = ix${r} + tx * p.I4; let ay${r} = iy${r} + ty;`),
    loop("k", "p.I4", KU / 4, single),
    `let kb = 4 * k;`,
    loadB,
    range(KU).flatMap((k) => columns.map((v) => b(k, v))),
    loaded.flatMap((r) =>
      quads.map((u) =>
        `let mine${u}_${r} = vec4f(${A.at(`n${r}`, `ay${r}`, `ax${r} + k + ${u}`)});`
      )
    ),
    rows.flatMap((r) => [
      ...quads.map((u) => `let a${r}_${u} = ${a(r, u)};`),
      ...columns.map((v) =>
        accumulate(
          `c${r}_${v}`,
          KU,
          (k) => `a${r}_${k >> 2}.${"xyzw"[k & 3]}`,
          (k) => flipped ? `b${k >> 2}_${v}.${"xyzw"[k & 3]}` : `b${k}_${v}`,
        )
      ),
    ]),
    `} } }`,
    columns.map((v) => end.load(v, colOf(v))),
    rows.map((r) =>
      gatherStore(
        rowOf(r),
        columns.flatMap((v) => [
          end.end(v, `c${r}_${v}`),
          y.store("at", colOf(v), `c${r}_${v}`),
        ]),
      )
    ),
    `}`,
  );
}

/**
 * Weight gradients: `y[part, tap, c, o] = sum over pixels of A[n, iy, ix, c] G[n, oy, ox, o]`.
 *
 * Rows are input channels, columns output channels; the lines of pixels `(n, oy)` are dealt out to
 * `parts`, whose sums are added afterwards (split-K).
 */
export const weightKernel = memo((recipe: WeightRecipe) =>
  sourceKernel({ label: weightLabel(recipe), code: weightSource(recipe) })
);

function weightSource({ plan, vec4 }: WeightRecipe): string {
  const { MR, NV, KU, single, wx, wy, wz, share } = plan, R4 = MR / 4;
  const A = operand("A", 0, plan), G = operand("G", 1, plan), y = storing({ vec4 }, "p.OC");
  const a = (nth: number) => share === "A" ? broadcast("mine", nth, wx) : `mine${nth}`;
  return lines(
    preamble(plan),
    WEIGHT_PARAMS,
    A.declare,
    G.declare,
    y.declare,
    head(wx * wy * wz),
    `let z = g / (p.colGroups * p.rowGroups)${wz > 1 ? ` * ${wz} + l.x / ${wx * wy}` : ""};`,
    WEIGHT_TAP,
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
      range(NV).map((v) =>
        `let b${k}_${v} = vec4f(${G.at("n", "gy", `gx + ${k} * p.O4 + ${v * wx}`)});`
      )
    ),
    inTurn(
      "mine",
      KU * R4,
      share === "A" ? wx : 1,
      (nth) => A.at("n", "iy", `ix + ${nth} / ${R4} * p.S * p.I4 + ${nth} % ${R4}`),
    ),
    range(R4).flatMap((r4) => [
      ...range(KU).map((k) => `let a${k}_${r4} = ${a(k * R4 + r4)};`),
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
      weightStore(
        r,
        range(NV).map((v) => y.store("at", `(col + ${v * wx})`, `(p.scale * c${r}_${v})`)),
      )
    ),
    `}`,
  );
}
