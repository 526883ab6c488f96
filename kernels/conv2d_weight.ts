/**
 * The gradient of a convolution's weight.
 *
 * @module
 */
import { gpu } from "../gpu/gpu.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { flop, layoutX, layoutY, type Sizes } from "./conv2d_sizes.ts";
import { split } from "./gather.ts";
import { inParts } from "./parts.ts";
import { bare, fitsTexture, loadOf, pack } from "./panel.ts";
import { type Plan, planFor } from "./plan.ts";
import { sumInto } from "./reduce.ts";
import { tiledWeight } from "./product/tile_weight.ts";
import { weightKernel } from "./software/weight.ts";

/** Sums `x` times `y` over all pixels into `w`, tap by tap. */
export function sumPixels(x: Tensor, y: Tensor, w: Tensor, z: Sizes): void {
  gpu().counters.flop += flop(z);
  const texture = fitsTexture(layoutX(z)) && fitsTexture(layoutY(z));
  const { N, Y, kh, kw, groups } = z;
  const problem = {
    rows: z.C / groups,
    columns: z.O / groups,
    terms: z.X,
    lines: N * Y,
    taps: kh * kw,
    products: groups,
    texture,
  };
  const plan = planFor("weight", problem, z.precision, {
    operands: [[N, z.H, z.W, z.C], [N, Y, z.X, z.O]],
    run: (plan, [x, y]) => {
      const dw = empty(w.shape);
      launchWeight(x, y, dw, z, plan);
      return dw;
    },
  });
  launchWeight(x, y, w, z, plan);
}

function launchWeight(x: Tensor, y: Tensor, w: Tensor, z: Sizes, plan: Plan): void {
  if (plan.load === "tile") return launchTiledWeight(x, y, w, z, plan);
  const { N, kh, kw, Y, X, s, scale, groups } = z, A = layoutX(z), B = layoutY(z);
  const C = z.C / groups, O = z.O / groups;
  const load = loadOf(plan), pa = pack(x, A, load, plan.precision);
  const pb = pack(y, B, load, plan.precision);
  const rowGroups = Math.ceil(C / (plan.MR * plan.wy));
  const colGroups = Math.ceil(Math.ceil(O / 4) / (plan.NV * plan.wx));
  const lines = N * Y, steps = Math.ceil(X / plan.KU);
  const workgroups = rowGroups * colGroups * kh * kw * groups;
  // Enough workgroups to keep every core busy, and no loop near the software device's limit.
  const wanted = Math.max(Math.ceil(plan.fill / workgroups), Math.ceil(lines * steps / 30_000));
  const perPart = Math.ceil(lines / Math.min(lines, wanted));
  const parts = Math.ceil(lines / perPart);
  const vec4 = O % 4 === 0, grouped = groups > 1;
  const kernel = weightKernel({ plan, grouped, finish: { vec4 } });
  const bound = { A: pa.resource, B: pb.resource };
  const params = {
    ...{
      lines,
      perPart,
      parts,
      OY: Y,
      OX: X,
      S: s,
      kh,
      kw,
      IC: C,
      OC: O,
      groups,
      rowGroups,
      colGroups,
    },
    ...{ top: A.top - z.py, left: A.left - z.px, B_top: B.top, B_left: B.left, scale },
    ...{ I4: A.channels / 4 / groups, A_rows: pa.rows, A_width: pa.width },
    ...{ O4: B.channels / 4, B_rows: pb.rows, B_width: pb.width },
  };
  const grid = folded(rowGroups * colGroups * Math.ceil(kh * kw * parts * groups / plan.wz));
  inParts(w, parts, (y) => run(kernel, { ...bound, y }, params, grid), addRows);
}

function addRows(w: Tensor, sums: Tensor): void {
  sumInto(w, sums, [1, sums.shape[0], w.size]);
}

/** Of a tiled weight gradient, whose kernel divides in float32, which is exact for integers up to this. */
export const MOST_PIXELS = 2 ** 24;

function launchTiledWeight(x: Tensor, y: Tensor, w: Tensor, z: Sizes, plan: Plan): void {
  const { N, kh, kw, Y, X, s, py, px, scale, groups } = z;
  const A = bare(layoutX(z)), B = bare(layoutY(z)), C = z.C / groups, O = z.O / groups;
  const pixels = N * Y * X, texels = A.channels / 4, I4 = texels / groups;
  if (pixels > MOST_PIXELS) {
    throw new RangeError(
      `conv2dWeight: ${N} images of ${Y}x${X} are more than ${MOST_PIXELS} pixels: take fewer`,
    );
  }
  const pa = pack(x, A, "buffer", plan.precision), pb = pack(y, B, "buffer", plan.precision);
  const rowGroups = Math.ceil(4 * I4 * kh * kw / (plan.MR * plan.wy));
  const colGroups = Math.ceil(Math.ceil(O / 4) / (plan.NV * plan.wx));
  const { parts, perPart } = split(
    plan,
    rowGroups * colGroups * groups,
    Math.ceil(pixels / plan.KU),
    w.size,
  );
  const vec4 = O % 4 === 0, grouped = groups > 1;
  const kernel = tiledWeight({ plan, grouped, finish: { vec4 } });
  const bound = { A: pa.resource, B: pb.resource };
  const params = {
    ...{
      pixels,
      perPart: perPart * plan.KU,
      parts,
      OY: Y,
      OX: X,
      S: s,
      kh,
      kw,
      pad_y: py,
      pad_x: px,
      scale,
    },
    ...{ IC: C, OC: O, groups, rowGroups, colGroups, I4, O4: B.channels / 4 },
    ...{ A_rows: pa.rows, A_columns: pa.width / texels },
  };
  const grid = folded(rowGroups * colGroups * parts * groups);
  inParts(w, parts, (y) => run(kernel, { ...bound, y }, params, grid), addRows);
}
