/**
 * Maxima and means of square windows of pixels, with output sizes as PyTorch's (rounded down).
 *
 * @module
 */
import wgsl from "./pool.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";

/** Square windows. */
export interface Windows {
  /** Pixels along a side. */
  readonly kernel: number;
  /** Pixels from a window to the next. */
  readonly stride: number;
  /** Pixels that windows may reach over the edges, at most half of `kernel`. */
  readonly pad: number;
}

/** Windows of which to take the mean. */
export interface AverageWindows extends Windows {
  /** Whether to divide by all pixels of a window or only by those inside of the image. */
  readonly countPadding: boolean;
}

const ENTRIES = ["maximum", "pick", "spread", "average", "averageGrad"] as const;
type Entry = typeof ENTRIES[number];
const kernels = byElement("pool", wgsl, ENTRIES);

const LONGEST = 60_000; // the software device ends loops at 65,535 iterations of an invocation

/** Images `[N, H, W, C]` and their windows `[N, P, Q, C]`. */
interface Plan {
  readonly large: Shape;
  readonly small: Shape;
  readonly windows: Windows;
  readonly countPadding: boolean;
}

function plan(op: string, x: Tensor, windows: Windows, countPadding = true): Plan {
  const { kernel: K, stride: S, pad } = windows;
  if (x.shape.length !== 4) {
    throw new RangeError(`${op}: got shape [${x.shape}], expected [N, H, W, C]`);
  }
  const [N, H, W, C] = x.shape;
  if (!(Number.isInteger(K) && Number.isInteger(S) && Number.isInteger(pad) && K > 0 && S > 0)) {
    throw new RangeError(`${op}: got kernel ${K}, stride ${S}, pad ${pad}, expected integers`);
  }
  if (pad < 0 || 2 * pad > K) {
    throw new RangeError(`${op}: got pad ${pad}, expected at most half of kernel ${K}`);
  }
  if (Math.min(H, W) + 2 * pad < K) {
    throw new RangeError(`${op}: kernel ${K} does not fit into [${x.shape}] with pad ${pad}`);
  }
  // The gradient of a maximum visits, for each pixel, all pixels of all windows that contain it.
  if (Math.ceil(K / S) ** 2 * K * (K + 2) > LONGEST) {
    throw new RangeError(`${op}: kernel ${K} is too large at stride ${S}`);
  }
  const count = (size: number) => Math.floor((size + 2 * pad - K) / S) + 1;
  return { large: x.shape, small: [N, count(H), count(W), C], windows, countPadding };
}

function dispatch(entry: Entry, bound: Readonly<Record<string, Tensor>>, plan: Plan): void {
  const [N, H, W, C] = plan.large, [, P, Q] = plan.small, wide = C % 4 === 0;
  const { kernel: K, stride: S, pad } = plan.windows;
  run(
    kernels[wide ? "vec4f" : "f32"][entry],
    bound,
    { N, H, W, C: wide ? C / 4 : C, P, Q, K, S, pad },
    folded(Math.ceil(bound.result.size / (wide ? 4 : 1) / 64)),
    entry.startsWith("average") ? { COUNT_PADDING: Number(plan.countPadding) } : {},
  );
}

/**
 * The maximum of each window. The gradient goes to the first of equal ones; a NaN counts as the
 * maximum.
 *
 * @param x `[N, H, W, C]`
 * @returns `[N, P, Q, C]`, `P = floor((H + 2 pad - kernel) / stride) + 1`, `Q` likewise
 * @throws {RangeError} If the windows do not fit `x`.
 */
export function maxPool(x: Tensor, windows: Windows): Tensor {
  const p = plan("maxPool", x, windows);
  return apply({
    op: "maxPool",
    inputs: [x],
    shape: p.small,
    forward: (y) => dispatch("maximum", { u: x, result: y }, p),
    backward: (dy) => [spread(x, dy, p)],
  });
}

/** To each pixel the sum of `z` over the windows whose maximum it is: linear in `z`, flat in `x`. */
function spread(x: Tensor, z: Tensor, p: Plan): Tensor {
  return apply({
    op: "maxPoolGrad",
    inputs: [z],
    shape: p.large,
    forward: (y) => dispatch("spread", { u: x, v: z, result: y }, p),
    backward: (dy) => [pick(x, dy, p)],
  });
}

/** `z` where `x` has the maximum of a window: linear in `z`, flat in `x`. */
function pick(x: Tensor, z: Tensor, p: Plan): Tensor {
  return apply({
    op: "maxPoolPick",
    inputs: [z],
    shape: p.small,
    forward: (y) => dispatch("pick", { u: x, v: z, result: y }, p),
    backward: (dy) => [spread(x, dy, p)],
  });
}

/**
 * The mean of each window. (The mean of a whole image is `mean(x, [1, 2])`.)
 *
 * @param x `[N, H, W, C]`
 * @returns `[N, P, Q, C]`, as {@linkcode maxPool}
 * @throws {RangeError} If the windows do not fit `x`.
 */
export function averagePool(x: Tensor, windows: AverageWindows): Tensor {
  return average(x, plan("averagePool", x, windows, windows.countPadding));
}

function average(x: Tensor, p: Plan): Tensor {
  return apply({
    op: "averagePool",
    inputs: [x],
    shape: p.small,
    forward: (y) => dispatch("average", { u: x, result: y }, p),
    backward: (dy) => [averageGrad(dy, p)],
  });
}

function averageGrad(z: Tensor, p: Plan): Tensor {
  return apply({
    op: "averagePoolGrad",
    inputs: [z],
    shape: p.large,
    forward: (y) => dispatch("averageGrad", { u: z, result: y }, p),
    backward: (dy) => [average(dy, p)],
  });
}
