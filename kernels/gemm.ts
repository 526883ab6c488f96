/**
 * The two inner loops behind matrix products and convolutions, for operands that every invocation
 * reads by itself.
 *
 * Their source is put together, because unrolled loops over named vec4 accumulators are five times
 * faster than indexed arrays. Shapes are uniforms, so a plan is compiled once.
 *
 * @module
 */
import type { Kernel } from "../gpu/kernel.ts";
import {
  accumulate,
  cached,
  described,
  type Finish,
  finishing,
  GATHER_PARAMS,
  gatherClass,
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
  storing,
  WEIGHT_PARAMS,
  WEIGHT_TAP,
  weightStore,
} from "./gemm_source.ts";
import type { Plan } from "./plan.ts";

/** Texel `nth` of those that lanes load, each a number of them in turn. */
function shared(nth: number, own: (i: number) => string, { wx, wy }: Plan): string {
  return `subgroupBroadcast(${own(Math.floor(nth / (wx * wy)))}, ${nth % (wx * wy)}u)`;
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
export function gatherKernel(plan: Plan, transposed: boolean, finish: Finish): Kernel {
  const { MR, NV, KU, single, wx, wy, share } = plan, lanes = wx * wy, { flipped } = finish;
  const name = `${transposed ? "gather_transposed" : "gather"} ${described(plan, finish)}`;
  // Rows of A that an invocation loads, and columns that it sums up.
  const own = range(share === "A" ? MR / lanes : MR), columns = range(flipped ? 4 * NV : NV);
  const spread = (r: number) => `row + ${r * lanes} + l.x`;
  const rowOf = (r: number) => share === "B" ? spread(r) : `row + ${r}`;
  const colOf = (v: number) => `(col + ${v * wx})`;
  return cached(name, () => {
    const A = operand("A", 0, plan),
      B = operand("B", 1, plan),
      y = storing(finish, "p.OC"),
      end = finishing(finish);
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
      columns.map((v) => `let d${v} = ${end.begin(colOf(v))};`),
      own.map((r) => gatherRow(r, share === "A" ? spread(r) : rowOf(r))),
      range(MR).map((r) => columns.map((v) => `var c${r}_${v} = d${v};`).join(" ")),
      gatherTaps(transposed),
      own.map((r) => `let ax${r} = ix${r} + tx * p.I4; let ay${r} = iy${r} + ty;`),
      loop("k", "p.I4", KU / 4, single),
      `let kb = 4 * k;`,
      flipped
        ? range(KU / 4).flatMap((u) =>
          columns.map((v) => `let b${u}_${v} = vec4f(${B.at("tap", colOf(v), `k + ${u}`)});`)
        )
        : share === "B"
        ? [
          ...range(Math.ceil(KU * NV / lanes)).map((i) => {
            const nth = `(l.x + ${i * lanes})`,
              at = B.at("tap", `kb + ${nth} / ${NV}`, `col + ${nth} % ${NV}`);
            return `let ownB${i} = vec4f(${at});`;
          }),
          ...range(KU).flatMap((k) =>
            columns.map((v) => `let b${k}_${v} = ${shared(k * NV + v, (i) => `ownB${i}`, plan)};`)
          ),
        ]
        : range(KU).flatMap((k) =>
          columns.map((v) => `let b${k}_${v} = vec4f(${B.at("tap", `kb + ${k}`, colOf(v))});`)
        ),
      own.flatMap((r) =>
        range(KU / 4).map((u) =>
          `let own${r}_${u} = vec4f(${A.at(`n${r}`, `ay${r}`, `ax${r} + k + ${u}`)});`
        )
      ),
      range(MR).flatMap((r) => [
        ...range(KU / 4).map((u) =>
          `let a${r}_${u} = ${
            share === "A" ? shared(r, (i) => `own${i}_${u}`, plan) : `own${r}_${u}`
          };`
        ),
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
      range(MR).map((r) =>
        gatherStore(
          rowOf(r),
          columns.flatMap((v) => [
            end.end(`c${r}_${v}`),
            y.store("at", colOf(v), `c${r}_${v}`),
          ]),
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
  const { MR, NV, KU, single, wx, wy, wz, share } = plan, R4 = MR / 4;
  const name = `weight ${described(plan, { vec4 })}`;
  return cached(name, () => {
    const A = operand("A", 0, plan), G = operand("G", 1, plan), y = storing({ vec4 }, "p.OC");
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
      range(share === "A" ? KU * R4 / wx : KU * R4).map((i) => {
        const nth = share === "A" ? `(l.x + ${i * wx})` : `${i}u`,
          pixel = `${nth} / ${R4} * p.S * p.I4`;
        return `let own${i} = vec4f(${A.at("n", "iy", `ix + ${pixel} + ${nth} % ${R4}`)});`;
      }),
      range(R4).flatMap((r4) => [
        ...range(KU).map((k) =>
          `let a${k}_${r4} = ${
            share === "A" ? shared(k * R4 + r4, (i) => `own${i}`, plan) : `own${k * R4 + r4}`
          };`
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
        weightStore(r, range(NV).map((v) => y.store("at", `(col + ${v * wx})`, `c${r}_${v}`)))
      ),
      `}`,
    );
  });
}
