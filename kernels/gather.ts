/**
 * The path that matrix products and convolutions share: packed operands, a plan, one dispatch.
 *
 * @module
 */
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import type { Epilogue } from "./epilogue.ts";
import { type Plan, planFor } from "./plan.ts";
import { bare, fitsTexture, type Layout, loadOf, pack } from "./panel.ts";
import { addParts, inParts, partsThatFit } from "./parts.ts";
import type { Precision } from "./precision.ts";
import { tiledGather } from "./product/tile_gather.ts";
import { gatherKernel } from "./software/gather.ts";

/** Sizes of a gather by their names in the shader. */
export type GatherSizes = Record<
  "rows" | "TY" | "TX" | "S" | "E" | "kh" | "kw" | "pad_y" | "pad_x" | "H" | "W" | "OC",
  number
>;

/** One gather: its operands with their layouts, and its sizes. */
export interface Gather {
  readonly a: Tensor;
  readonly A: Layout;
  readonly b: Tensor;
  readonly B: Layout;
  /** The same operand with a row for each column of the product, given where it lies so in memory. */
  readonly flipped?: Layout;
  readonly transposed: boolean;
  readonly sizes: GatherSizes;
  /** Groups of channels, each with a product of its own; 1 by default. Layouts and `OC` are of all of them. */
  readonly groups?: number;
  /** Products in all, each with a layer of its own in both operands; 1 by default. */
  readonly images?: number;
  /** What every sum is multiplied by; 1 by default. */
  readonly scale?: number;
  /** How operands are stored. */
  readonly precision: Precision;
  readonly epilogue?: Epilogue;
}

/** Packs both operands and runs the gather kernel on them. */
export function gather(job: Gather, out: Tensor): void {
  const { a, A, b, B, transposed, sizes: { rows, OC, E }, images = 1, groups = 1 } = job;
  if (A.channels > 4 * 60_000) {
    throw new RangeError(
      `gather: ${A.channels} terms are too many for one loop of the software device`,
    );
  }
  const texture = [A, B, job.flipped ?? B].every(fitsTexture);
  const plan = planFor(
    transposed ? "gather_transposed" : "gather",
    {
      rows,
      columns: OC / groups,
      terms: A.channels / groups,
      taps: taps(job.sizes),
      products: E ** 2 * images * groups,
      texture,
    },
    job.precision,
    {
      operands: [a.shape, b.shape],
      run: (plan, [a, b]) => {
        const y = empty(out.shape);
        launch({ ...job, a, b, epilogue: {} }, y, plan);
        return y;
      },
    },
  );
  launch(job, out, plan);
}

/** Taps of the class that has the most. */
function taps({ kh, kw, E }: GatherSizes): number {
  return Math.ceil(kh / E) * Math.ceil(kw / E);
}

function launch(
  job: Gather,
  out: Tensor,
  plan: Plan,
): void {
  const { a, A, b, B, flipped, transposed, images = 1, groups = 1, scale = 1, epilogue = {} } = job;
  const sizes = { ...job.sizes, OC: job.sizes.OC / groups };
  const tile = plan.load === "tile", load = loadOf(plan), layout = tile ? bare(A) : A;
  const pa = pack(a, layout, load, plan.precision);
  // As it lies in memory, where the kernel can read it so.
  const flip = (tile || plan.share === "A") && flipped, laid = flip ? flipped : B;
  const pb = pack(b, tile ? bare(laid) : laid, load, plan.precision), texels = layout.channels / 4;
  const I4 = texels / groups;
  const rowGroups = Math.ceil(sizes.rows / (plan.MR * plan.wy));
  const colGroups = Math.ceil(Math.ceil(sizes.OC / 4) / (plan.NV * plan.wx));
  const workgroups = rowGroups * colGroups * sizes.E ** 2 * images * groups;
  const steps = taps(sizes) * Math.ceil(4 * I4 / plan.KU);
  const { parts, perPart } = tile ? split(plan, workgroups, steps, out.size) : WHOLE;
  const { bias, slope = 1 } = parts === 1 ? epilogue : {};
  // A slope of 1 changes no bit; without tiles, one kernel then serves both, which takes long to compile.
  const vec4 = sizes.OC % 4 === 0, relu = slope !== 1 || !tile;
  const finish = { vec4, flipped: Boolean(flip), bias: bias !== undefined, relu };
  const kernel = (tile ? tiledGather : gatherKernel)({
    plan,
    transposed,
    grouped: groups > 1,
    finish,
  });
  const bound = { A: pa.resource, B: pb.resource, ...bias && { bias } };
  const params = {
    ...sizes,
    ...{
      top: layout.top,
      left: layout.left,
      I4,
      rowGroups,
      colGroups,
      images: images * groups,
      scale,
      slope,
    },
    ...{ A_rows: pa.rows, A_width: pa.width, A_columns: pa.width / texels },
    ...{ B_rows: pb.rows, B_width: pb.width, parts, perPart, pixels: out.size / job.sizes.OC },
  };
  inParts(
    out,
    parts,
    (y) => run(kernel, { ...bound, y }, params, folded(workgroups * parts)),
    (y, sums) => addParts(y, sums, epilogue),
  );
}

const WHOLE = { parts: 1, perPart: 0 };
const LEAST_STEPS = 4; // a part that is worth its trip through memory

/**
 * The parts to split `steps` steps into so that there are as many workgroups as the plan wants, and the
 * steps a part.
 */
export function split({ fill }: Plan, groups: number, steps: number, size: number) {
  const worth = Math.floor(steps / LEAST_STEPS);
  const wanted = Math.min(Math.round(fill / groups), worth, partsThatFit(size));
  const perPart = Math.ceil(steps / Math.max(1, wanted));
  return { parts: Math.ceil(steps / perPart), perPart };
}
