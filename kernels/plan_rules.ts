/**
 * The rules by which plans are chosen: pure functions of the problem and the device's properties.
 *
 * @module
 */
import type { Kind, Plan, Problem, Traits } from "./plan.ts";
import type { Precision } from "./precision.ts";

/** Workgroups that keep a large GPU busy. */
const FILL = 264;
const STEP = 16; // terms that a tile holds

const tile = (MR: number, NV: number, wx: number, wy: number) => ({ MR, NV, wx, wy });
/** Tiles, the largest first: squares for most, high ones for few columns. */
const TILES = [
  tile(8, 2, 16, 16), // 128 x 128
  tile(8, 1, 16, 16), // 128 x 64
  tile(4, 2, 16, 16), // 64 x 128
  tile(8, 2, 8, 8), // 64 x 64, by few
  tile(4, 1, 16, 16), // 64 x 64, by many
  tile(8, 1, 8, 32), // 256 x 32
  tile(8, 1, 8, 16), // 128 x 32
  tile(8, 1, 4, 32), // 256 x 16
  tile(4, 1, 8, 8), // 32 x 32
];
/** Fast for large products, and slow where addresses take registers, too. */
const FOR_TUNING = [tile(8, 4, 8, 16)];
type Tile = typeof TILES[number];

/** Rows of the product as tiles cover it. */
function rowsOf(kind: Kind, { rows, taps }: Problem): number {
  return kind === "weight" ? up(rows, 4) * taps : rows;
}

function groupsOf({ MR, NV, wx, wy }: Tile, kind: Kind, problem: Problem): number {
  const { columns, products } = problem;
  return Math.ceil(rowsOf(kind, problem) / (MR * wy)) * Math.ceil(columns / (4 * NV * wx)) *
    products;
}

/** Whether a tile is mostly inside the product and fits a workgroup's memory. */
function fits(
  { MR, NV, wx, wy }: Tile,
  kind: Kind,
  problem: Problem,
  { workgroupBytes }: Traits,
): boolean {
  const bytes = 16 * (MR * wy / 4 + NV * wx) * (STEP + 1);
  return bytes <= workgroupBytes &&
    MR * wy <= 2 * up(rowsOf(kind, problem), 32) && 4 * NV * wx <= up(problem.columns, 16);
}

/** The largest tile that gives enough workgroups, or else a small one. */
function tiled(kind: Kind, problem: Problem, device: Traits): Rule {
  const fitting = TILES.filter((tile) => fits(tile, kind, problem, device));
  const chosen = fitting.find((tile) => groupsOf(tile, kind, problem) >= FILL / 2) ??
    fitting.find(({ wx, wy }) => wx * wy <= 128) ?? TILES.at(-1)!;
  return { ...chosen, load: "tile", KU: STEP, wz: 1, single: false, share: "none", fill: FILL };
}

/** `n` rounded up to a multiple of `m`. */
export function up(n: number, m: number): number {
  return Math.ceil(n / m) * m;
}

/** The smallest power of two that is not below `n`. */
function power(n: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(n)));
}

/**
 * A plan with its precision and the steps that its problem allows: operands are padded for these
 * only.
 */
export function fitted(
  kind: Kind,
  { terms }: Problem,
  chosen: Rule,
  precision: Precision,
  device: Traits,
): Plan {
  const plan = {
    ...chosen,
    share: canShare(chosen, device) ? chosen.share : "none" as const,
    precision,
  };
  if (plan.load === "tile") {
    // In a gather a step is of the channels of one tap: few of its terms should be padding.
    const KU = kind === "weight"
      ? plan.KU
      : [16, 8].find((n) => n <= plan.KU && up(terms, n) <= 1.125 * terms) ?? 4;
    return { ...plan, KU, single: false };
  }
  if (kind === "weight") {
    const KU = terms > 4 && terms <= 8 ? 8 : 4;
    return { ...plan, KU, single: terms <= KU };
  }
  // More terms a step gain nothing, take longer to compile and, with 16 registers, as without AVX-512, exceed
  // the decoded-instruction cache.
  const KU = terms > 4 && terms <= 8 ? terms : 4;
  return { ...plan, KU, single: terms === KU };
}

/** What a rule decides. */
export type Rule = Omit<Plan, "precision">;

/** The plan that is used where none is tuned or forced. */
export function rule(kind: Kind, problem: Problem, device: Traits): Rule {
  return device.software ? unrolled(kind, problem, device) : tiled(kind, problem, device);
}

/** A workgroup that shares. */
function sharing(lanes: number) {
  return { share: "A", wx: lanes, wy: 1, wz: 1 } as const;
}

function canShare({ load, wx, wy, wz, MR }: Rule, { lanes, sharing }: Traits): boolean {
  return sharing && load !== "tile" && wx === lanes && wy === 1 && wz === 1 && MR % lanes === 0;
}

/** Without tiles. */
function unrolled(kind: Kind, problem: Problem, device: Traits): Rule {
  const { lanes, sharing: can } = device, { rows, columns } = problem;
  const C4 = Math.ceil(columns / 4);
  const alone = each(kind, problem, device);
  if (!can || rows <= lanes / 2 || C4 < lanes) return alone;
  const across = up(C4, lanes), NV = across % (2 * lanes) === 0 ? 2 : 1;
  const MR = Math.min((kind === "weight" ? 64 : 4 * lanes) / NV, up(rows, lanes));
  return { ...alone, MR, NV, ...sharing(lanes) };
}

/** Without tiles, each lane by itself. */
function each(
  kind: Kind,
  { rows, columns, texture }: Problem,
  { fastTextures, lanes: many }: Traits,
): Rule {
  const lanes = many || 16;
  const load = fastTextures && texture ? "texture" : "buffer", C4 = Math.ceil(columns / 4);
  const fixed = { load, KU: 8, single: false, share: "none", fill: 64 } as const;
  const NV = power(Math.min(4, C4));
  if (kind === "weight") {
    // Lanes are along rows, then along taps and parts.
    const MR = power(Math.min(16, Math.max(4, rows))), wy = power(Math.min(4, rows / MR));
    return { ...fixed, MR, NV, wx: 1, wy, wz: lanes / wy };
  }
  // As many columns an invocation as there are; the remaining lanes are along rows.
  const wx = power(Math.min(lanes, C4 / NV)), wy = lanes / wx;
  const MR = power(Math.min(8, Math.max(2, rows / wy))); // 16 is no faster, and takes longer to compile
  return { ...fixed, MR, NV, wx, wy, wz: 1 };
}

/** Plans that may be faster than the rule's. */
export function alternatives(kind: Kind, problem: Problem, device: Traits): Partial<Rule>[] {
  const { lanes } = device;
  if (device.software) {
    return [
      { MR: kind === "weight" ? 8 : 16 },
      each(kind, problem, device),
      ...[[lanes, 4], [4 * lanes, 1], [2 * lanes, 2], [lanes, 2]]
        .map(([MR, NV]) => ({ ...sharing(lanes), MR, NV })),
    ];
  }
  const tiles = [...TILES, ...FOR_TUNING].filter((tile) => fits(tile, kind, problem, device));
  return tiles.flatMap((tile) => {
    const groups = groupsOf(tile, kind, problem);
    return [0, 1, 2, 4].map((times) => times * FILL)
      .filter((fill) => fill === 0 || groups < fill)
      .map((fill) => ({ ...tile, fill }));
  });
}
