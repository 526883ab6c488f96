/**
 * How each matrix product and convolution is computed.
 *
 * Results do not depend on a {@linkcode Plan} beyond rounding. The rules for the software device come
 * from measurements; on a GPU kernels/tune.ts finds better ones by trying.
 *
 * @module
 */
import { type DeviceInfo, deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { memo } from "../gpu/memo.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import { alternatives, fitted, rule } from "./plan_rules.ts";
import { assertPrecision, type Precision } from "./precision.ts";

/** How a GEMM kernel is unrolled and spread over invocations. */
export interface Plan {
  /**
   * How operands are loaded: directly from storage textures or buffers (kernels/software), or from buffers
   * through tiles that a workgroup shares (kernels/product/tile.ts).
   */
  readonly load: "texture" | "buffer" | "tile";
  /** Rows an invocation (a multiple of 4 in weight gradients and tiles). */
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
  /**
   * Whether the lanes of a workgroup, which is one subgroup along the columns then, load parts of A for
   * each other, instead of all the same.
   */
  readonly share: "none" | "A";
  /**
   * The least number of workgroups: where there are fewer, each sum is split into parts, which are added
   * afterwards (split-K).
   */
  readonly fill: number;
  /** How operands are stored; forced and tuned plans do not change it. */
  readonly precision: Precision;
}

/** What a plan is made for: sizes of the product `[rows, terms] x [terms, columns]`. */
export interface Problem {
  readonly rows: number;
  readonly columns: number;
  /** Length of the innermost sum: channels, as they are laid out; for a weight gradient, pixels a line. */
  readonly terms: number;
  /** How many lines of pixels a weight gradient sums over. */
  readonly lines?: number;
  /** Taps of the window: they extend the sum, or are rows of a weight gradient. */
  readonly taps: number;
  /** How many such products: images, or classes of a transposed convolution. */
  readonly products: number;
  /** True if textures can hold the operands. */
  readonly texture: boolean;
}

/** A problem that was met and has no tuned plan, with a way to run it on other operands. */
export interface Trial {
  readonly kind: Kind;
  readonly problem: Problem;
  /** The precision in which it was met. */
  readonly precision: Precision;
  /** Shapes of the operands. */
  readonly operands: readonly Shape[];
  readonly run: (plan: Plan, operands: readonly Tensor[]) => Tensor;
}

/** The kinds of kernels. */
export type Kind = "gather" | "gather_transposed" | "weight";

/** The properties of a device that a plan depends on. */
export type Traits =
  & Pick<DeviceInfo, "software" | "lanes" | "sharing" | "fastTextures">
  & { readonly workgroupBytes: number };

/** The state that decides about plans on a device, besides the rules. */
class Plans {
  forced: Partial<Plan> | undefined;
  tuned: Readonly<Record<string, Partial<Plan>>> = {};
  met: Map<string, Trial> | undefined;
}

/** Makes every plan use these values, for tests and experiments; undefined ends it. */
export function forcePlan(plan: Partial<Plan> | undefined): void {
  gpu().of(Plans).forced = plan;
}

/** The plans that tuning has found so far, by their problems. */
export function tunedPlans(): Readonly<Record<string, Partial<Plan>>> {
  return gpu().of(Plans).tuned;
}

/** Uses these plans from now on for their problems. */
export function useTuned(plans: Readonly<Record<string, Partial<Plan>>>): void {
  const known = gpu().of(Plans);
  known.tuned = { ...known.tuned, ...plans };
}

/** The problems without a tuned plan that `body` meets, by their names. */
export function problemsOf(body: () => void): Map<string, Trial> {
  const plans = gpu().of(Plans), found = plans.met = new Map<string, Trial>();
  try {
    body();
  } finally {
    plans.met = undefined;
  }
  return found;
}

/**
 * The plan for a problem: the forced one, the tuned one, or the rule's.
 *
 * @param trial The shapes of its operands and how to run it on others, for tuning.
 */
export function planFor(
  kind: Kind,
  problem: Problem,
  precision: Precision,
  trial: Pick<Trial, "operands" | "run">,
): Plan {
  const { forced, tuned, met } = gpu().of(Plans), name = nameOf(kind, problem, precision);
  if (met && !tuned[name] && !met.has(name)) {
    met.set(name, { kind, problem, precision, ...trial });
  }
  const changes = { ...tuned[name], ...forced };
  return planOf({ kind, problem, changes, precision, device: traits() });
}

const planOf = memo(
  ({ kind, problem, changes, precision, device }: {
    kind: Kind;
    problem: Problem;
    changes: Partial<Plan>;
    precision: Precision;
    device: Traits;
  }) => {
    assertPrecision(precision, deviceInfo());
    return fitted(kind, problem, { ...rule(kind, problem, device), ...changes }, precision, device);
  },
);

function traits(): Traits {
  const { software, lanes, sharing, fastTextures, limits } = deviceInfo();
  const { maxComputeWorkgroupStorageSize: workgroupBytes } = limits;
  return { software, lanes, sharing, fastTextures, workgroupBytes };
}

/** The key of tuned plans: all numbers of a problem, e.g. `gather: columns 7, products 1, rows 72, ...`. */
function nameOf(kind: Kind, problem: Problem, precision: Precision): string {
  const numbers = Object.entries(problem).sort().map(([name, value]) => `${name} ${value}`);
  return `${kind}: ${[...numbers, precision].join(", ")}`;
}

/** Plans that are worth a try, the rule's first. */
export function candidates({ kind, problem, precision }: Trial): Plan[] {
  const device = traits(), first = rule(kind, problem, device);
  const all = [first, ...alternatives(kind, problem, device).map((plan) => ({ ...first, ...plan }))]
    .map((plan) => fitted(kind, problem, plan, precision, device));
  const names = all.map((plan) => JSON.stringify(Object.entries(plan).sort()));
  return all.filter((_, i) => names.indexOf(names[i]) === i);
}

/** Whether products and convolutions are computed by tiles, whatever their sizes. */
export function byTiles(): boolean {
  const { forced } = gpu().of(Plans);
  return forced?.load ? forced.load === "tile" : !deviceInfo().software;
}
