/**
 * Softmax over the last axis.
 *
 * @module
 */
import wgsl from "./softmax.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply, reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";
import { exp, mul, neg, sub } from "./elementwise.ts";
import { EXACT_FOR } from "./exact.ts";
import { sum } from "./reduce.ts";
import { type Variant, variant as standard } from "./variant.ts";

type Entry = "forward" | "gradient";
const kernels = { lane: kernelsOf(false), group: kernelsOf(true) };

function kernelsOf(GROUP: boolean) {
  const values = { ...EXACT_FOR.V, GROUP, LANES: 64 };
  return byElement<Entry>("softmax", wgsl, ["forward", "gradient"], values);
}

/** Which invocations compute a row. */
export interface SoftmaxOptions {
  /**
   * `lane`: one invocation; `group`: one workgroup. By default the former on the software device,
   * the latter on GPUs and for rows of more than 20,000.
   */
  readonly variant?: "lane" | "group";
}

// Three loops over a row, and the software device ends loops at 65,535 iterations of an invocation.
const LANE_COLS = 20_000;
const GROUP_COLS = 64 * LANE_COLS;

interface Plan {
  readonly variant: Variant;
  readonly LOG: number;
  readonly rows: number;
  readonly cols: number;
}

function plan(op: string, x: Tensor, LOG: number, { variant }: SoftmaxOptions): Plan {
  const cols = x.shape[x.shape.length - 1], rows = x.size / cols;
  variant ??= cols <= LANE_COLS ? standard() : "group";
  const most = variant === "lane" ? LANE_COLS : GROUP_COLS;
  if (!(cols <= most)) {
    throw new RangeError(`${op}: got shape [${x.shape}], expected at most ${most} columns`);
  }
  return { variant, LOG, rows, cols };
}

/**
 * `y = e^x / sum e^x`, the sum over the last axis; without overflow.
 *
 * @param x `[..., cols]`
 * @returns The shape of `x`.
 * @throws {RangeError} If a row is too long for the variant.
 */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return rowwise("softmax", x, plan("softmax", x, 0, options), softmaxGrad);
}

/**
 * `y = x - log sum e^x`, the sum over the last axis; without overflow.
 *
 * @param x `[..., cols]`
 * @returns The shape of `x`.
 * @throws {RangeError} If a row is too long for the variant.
 */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return rowwise(
    "logSoftmax",
    x,
    plan("logSoftmax", x, 1, options),
    logSoftmaxGrad,
  );
}

type Back = (y: Tensor, dy: Tensor, p: Plan) => Tensor;

function rowwise(op: string, x: Tensor, p: Plan, back: Back): Tensor {
  return apply({
    op,
    inputs: [x],
    shape: x.shape,
    forward: (y) => dispatch("forward", { u: x, result: y }, p),
    backward: (dy, y) => [back(y, dy, p)],
  });
}

function rowwiseGrad(y: Tensor, dy: Tensor, dx: Tensor, p: Plan): void {
  dispatch("gradient", { u: y, v: dy, result: dx }, p);
}

function dispatch(entry: Entry, bound: Readonly<Record<string, Tensor>>, p: Plan): void {
  const { variant, LOG, rows, cols } = p, wide = cols % 4 === 0;
  run(
    kernels[variant][wide ? "vec4f" : "f32"][entry],
    bound,
    { rows, cols: wide ? cols / 4 : cols },
    folded(variant === "lane" ? Math.ceil(rows / 64) : rows),
    { LOG },
  );
}

/** `y (dy - sum y dy)`, in one dispatch. */
function softmaxGrad(y: Tensor, dy: Tensor, p: Plan): Tensor {
  return apply({
    op: "softmaxGrad",
    inputs: [y, dy],
    shape: y.shape,
    forward: (dx) => rowwiseGrad(y, dy, dx, p),
    backward: (d, _, need) => [
      need[0] ? sub(mul(d, sub(dy, rowSum(mul(y, dy)))), mul(dy, rowSum(mul(d, y)))) : null,
      need[1] ? softmaxGrad(y, d, p) : null, // the Jacobian is symmetric
    ],
  });
}

/** `dy - e^y sum dy`, in one dispatch. */
function logSoftmaxGrad(y: Tensor, dy: Tensor, p: Plan): Tensor {
  return apply({
    op: "logSoftmaxGrad",
    inputs: [y, dy],
    shape: y.shape,
    forward: (dx) => rowwiseGrad(y, dy, dx, p),
    backward: (d, _, need) => {
      const e = exp(y);
      return [
        need[0] ? neg(mul(mul(d, e), rowSum(dy))) : null,
        need[1] ? sub(d, rowSum(mul(d, e))) : null,
      ];
    },
  });
}

/** The sum over the last axis, which stays, with size 1. */
function rowSum(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  return reshape(sum(x, [last]), [...x.shape.slice(0, last), 1]);
}
