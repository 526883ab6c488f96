/**
 * The loops of kernels/gemm.ts for GPUs: a workgroup of 16 x 16 brings tiles of both operands into its
 * shared memory, each number once, and computes `16 MR` rows by `64 NV` columns from there.
 *
 * @module
 */
import type { Kernel } from "../gpu/kernel.ts";
import {
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
  operand,
  preamble,
  range,
  storing,
  WEIGHT_PARAMS,
  WEIGHT_TAP,
  weightStore,
} from "./gemm_source.ts";
import type { Plan } from "./plan.ts";

const SIDE = 16, INVOCATIONS = SIDE * SIDE;

/** Sizes of a plan's tiles, in texels of four numbers. */
function sizes({ MR, NV, KU }: Plan) {
  return { rows: SIDE * MR, rows4: SIDE * MR / 4, cols4: SIDE * NV, KU, K4: KU / 4 };
}

/** Declares both tiles: `ta[k, row / 4]` holds four rows of A, `tb[k, column / 4]` four columns. */
function tiles(plan: Plan): string {
  const { rows4, cols4, KU } = sizes(plan);
  return `var<workgroup> ta: array<Stored, ${KU * rows4}>;
var<workgroup> tb: array<Stored, ${KU * cols4}>;`;
}

/** `body(i)` for each of the texels `i`, dealt out to the invocations. */
function dealt(texels: number, body: (i: string, nth: number) => string): string {
  return lines(
    range(Math.ceil(texels / INVOCATIONS)).map((nth) => {
      const partly = texels - nth * INVOCATIONS < INVOCATIONS;
      const i = nth === 0 ? "l.x" : `(l.x + ${nth * INVOCATIONS})`;
      return partly ? `if (${i} < ${texels}) {\n${body(i, nth)}\n}` : `{\n${body(i, nth)}\n}`;
    }),
  );
}

/** Adds the product of both tiles to the accumulators. */
function multiply(plan: Plan): string {
  const { MR, NV } = plan, { rows4, cols4, KU } = sizes(plan);
  return lines(
    `workgroupBarrier();
for (var kk = 0u; kk < ${KU}; kk++) {`,
    range(MR / 4).map((r) => `let x${r} = vec4f(ta[kk * ${rows4} + ly * ${MR / 4} + ${r}]);`),
    range(NV).map((v) => `let b${v} = vec4f(tb[kk * ${cols4} + lx + ${v * SIDE}]);`),
    range(MR).flatMap((r) =>
      range(NV).map((v) => `c${r}_${v} += x${r >> 2}.${"xyzw"[r & 3]} * b${v};`)
    ),
    `}
workgroupBarrier();`,
  );
}

/** Places and accumulators of an invocation. */
function begin(plan: Plan, first = (_col: string) => "vec4f()"): string {
  const { MR, NV } = plan, { rows, cols4 } = sizes(plan);
  return lines(
    `let lx = l.x % ${SIDE}; let ly = l.x / ${SIDE};
let firstCol = g % p.colGroups * ${cols4}; let col = firstCol + lx;
let firstRow = g / p.colGroups % p.rowGroups * ${rows}; let row = firstRow + ly * ${MR};`,
    range(NV).map((v) => `let d${v} = ${first(`col + ${v * SIDE}`)};`),
    range(MR).flatMap((r) => range(NV).map((v) => `var c${r}_${v} = d${v};`)),
  );
}

/** A gather, as `gatherKernel` of kernels/gemm.ts; `KU` divides the channels of A. */
export function tiledGather(plan: Plan, transposed: boolean, finish: Finish): Kernel {
  const { MR, NV } = plan, { rows, rows4, cols4, KU, K4 } = sizes(plan);
  const name = `${transposed ? "gather_transposed" : "gather"} ${described(plan, finish)}`;
  return cached(name, () => {
    const A = operand("A", 0, plan), B = operand("B", 1, plan);
    const y = storing(finish, "p.OC"), end = finishing(finish);
    return lines(
      preamble(plan),
      GATHER_PARAMS,
      A.declare,
      B.declare,
      y.declare,
      end.declare,
      tiles(plan),
      head(INVOCATIONS),
      gatherClass(transposed),
      begin(plan, end.begin),
      // The rows whose texels this invocation brings.
      range(Math.ceil(rows * K4 / INVOCATIONS)).map((nth) =>
        gatherRow(nth, `firstRow + (l.x + ${nth * INVOCATIONS}) / ${K4} % ${rows}`)
      ),
      gatherTaps(transposed),
      `for (var k = 0u; k < p.I4; k += ${K4}) {`,
      dealt(rows * K4, (i, nth) =>
        lines(
          `let r = ${i} / ${K4}; let k4 = ${i} % ${K4};
let a = ${A.at(`n${nth}`, `(iy${nth} + ty)`, `ix${nth} + tx * p.I4 + k + k4`)};`,
          range(4).map((q) => `ta[(4 * k4 + ${q}) * ${rows4} + r / 4][r % 4] = a.${"xyzw"[q]};`),
        )),
      dealt(
        KU * cols4,
        (i) =>
          `let kk = ${i} / ${cols4}; let c = min(firstCol + ${i} % ${cols4}, p.B_width - 1);
tb[${i}] = ${B.at("tap", "(4 * k + kk)", "c")};`,
      ),
      multiply(plan),
      `} } }`,
      range(MR).map((r) =>
        gatherStore(
          `row + ${r}`,
          range(NV).flatMap((v) => [
            end.end(`c${r}_${v}`),
            y.store("at", `(col + ${v * SIDE})`, `c${r}_${v}`),
          ]),
        )
      ),
      `}`,
    );
  });
}

/** A weight gradient, as `weightKernel` of kernels/gemm.ts; terms are pixels, line after line. */
export function tiledWeight(plan: Plan, vec4: boolean): Kernel {
  const { MR, NV } = plan, { rows4, cols4, KU } = sizes(plan);
  return cached(`weight ${described(plan, { vec4 })}`, () => {
    const A = operand("A", 0, plan), G = operand("G", 1, plan);
    const y = storing({ vec4 }, "p.OC");
    const pixel = (i: string, width: number) =>
      `let kk = ${i} / ${width}; let pixel = k + kk;
let line = pixel / p.OX; let ox = pixel % p.OX; let n = line / p.OY; let oy = line % p.OY;`;
    return lines(
      preamble(plan),
      WEIGHT_PARAMS,
      A.declare,
      G.declare,
      y.declare,
      tiles(plan),
      head(INVOCATIONS),
      `let z = g / (p.colGroups * p.rowGroups);`,
      WEIGHT_TAP,
      begin(plan),
      `let last = min((part + 1) * p.perPart, p.lines) * p.OX;
for (var k = part * p.perPart * p.OX; k < last; k += ${KU}) {`,
      dealt(KU * rows4, (i) =>
        `${pixel(i, rows4)}
let c = min(firstRow / 4 + ${i} % ${rows4}, p.I4 - 1);
var a = Stored();
if (pixel < last) { a = ${A.at("n", "(oy * p.S + ky)", "(ox * p.S + kx) * p.I4 + c")}; }
ta[${i}] = a;`),
      dealt(KU * cols4, (i) =>
        `${pixel(i, cols4)}
let c = min(firstCol + ${i} % ${cols4}, p.O4 - 1);
var b = Stored();
if (pixel < last) { b = ${G.at("n", "(oy + p.g_top)", "(ox + p.g_left) * p.O4 + c")}; }
tb[${i}] = b;`),
      multiply(plan),
      `}`,
      range(MR).map((r) =>
        weightStore(r, range(NV).map((v) => y.store("at", `(col + ${v * SIDE})`, `c${r}_${v}`)))
      ),
      `}`,
    );
  });
}
