/**
 * 2D convolution.
 *
 * A convolution is one trilinear form
 * `T(x, w, y) = sum x[n, Y s + i - p, X s + j - p, c] w[i, j, c, o] y[n, Y, X, o]`.
 * The functions here are its derivatives with respect to `y`, `x` and `w`; each is the gradient of
 * the other two, so that gradients of every order exist. Pictures are `[N, H, W, C]`, weights
 * `[kh, kw, C, O]`.
 *
 * @module
 */

import { counters } from "../gpu/memory.ts";
import { folded, run } from "../gpu/record.ts";
import { apply, noGrad, reshape } from "../tensor/op.ts";
import { empty, sameShape, type Shape, type Tensor } from "../tensor/tensor.ts";
import { add, leakyRelu } from "./elementwise.ts";
import { biasGradient, checkEpilogue, type Epilogue, throughEpilogue } from "./epilogue.ts";
import { foldInto } from "./fold.ts";
import { gather, panelBytes, sample, split } from "./gather.ts";
import { weightKernel } from "./gemm.ts";
import { kernelOf } from "./gemm_source.ts";
import { matmul } from "./matmul.ts";
import { bare, fitsTexture, type Layout, loadOf, pack, plain } from "./panel.ts";
import { type Plan, planFor, up } from "./plan.ts";
import { addUp, broadcastTo, sumInto } from "./reduce.ts";
import { summed } from "./portions.ts";
import { tiledWeight } from "./tile.ts";

/** Stride and zero padding in pixels, the same along both axes. */
export interface Geometry {
  /** Pixels between two places of the kernel. */
  readonly stride: number;
  /** Zeros around the picture, in pixels. */
  readonly padding: number;
}

/** All sizes of one convolution. */
interface Sizes {
  N: number;
  H: number;
  W: number;
  C: number;
  kh: number;
  kw: number;
  O: number;
  Y: number;
  X: number;
  s: number;
  p: number;
}

/**
 * Correlates `x` with `w`, with a bias and a leaky ReLU if asked for.
 *
 * @param x `[N, H, W, C]`.
 * @param w `[kh, kw, C, O]`.
 * @param epilogue Its bias is `[O]`.
 * @returns `[N, Y, X, O]` with `Y = floor((H + 2 padding - kh) / stride) + 1`.
 * @throws {RangeError} If the channels of `x` and `w` differ, nothing is left, or the epilogue does not
 * fit.
 */
export function conv2d(x: Tensor, w: Tensor, g: Geometry, epilogue: Epilogue = {}): Tensor {
  const z = sizes("conv2d", x.shape, w.shape, g);
  checkEpilogue("conv2d", epilogue, z.O);
  if (isDense(z)) {
    const [a, b] = [reshape(x, [z.N, z.kh * z.kw * z.C]), reshape(w, [z.kh * z.kw * z.C, z.O])];
    return reshape(matmul(a, b, {}, epilogue), [z.N, 1, 1, z.O]);
  }
  const { bias } = epilogue;
  return apply({
    op: "conv2d",
    inputs: bias ? [x, w, bias] : [x, w],
    shape: [z.N, z.Y, z.X, z.O],
    forward: (y) => gatherForward(x, w, y, z, epilogue),
    backward: (dy, y, need) => {
      const dz = throughEpilogue(dy, y, epilogue);
      return [
        need[0] ? conv2dInput(dz, w, x.shape, g) : null,
        need[1] ? conv2dWeight(x, dz, w.shape, g) : null,
        need[2] ? biasGradient(dz, epilogue) : null,
      ];
    },
  });
}

/**
 * The gradient of {@linkcode conv2d} with respect to `x`: a transposed convolution, with a bias and a
 * leaky ReLU if asked for.
 *
 * @param y `[N, Y, X, O]`.
 * @param w `[kh, kw, C, O]`.
 * @param shape Of the result, `[N, H, W, C]`.
 * @param epilogue Its bias is `[C]`.
 * @throws {RangeError} If the shapes or the epilogue do not fit.
 */
export function conv2dInput(
  y: Tensor,
  w: Tensor,
  shape: Shape,
  g: Geometry,
  epilogue: Epilogue = {},
): Tensor {
  const z = sizes("conv2dInput", shape, w.shape, g, y.shape), { bias, slope = 1 } = epilogue;
  checkEpilogue("conv2dInput", epilogue, z.C);
  if (isDense(z)) {
    const [a, b] = [reshape(y, [z.N, z.O]), reshape(w, [z.kh * z.kw * z.C, z.O])];
    // Each tap has columns of its own.
    const everywhere = bias && reshape(broadcastTo(bias, [z.kh * z.kw, z.C]), [b.shape[0]]);
    return reshape(matmul(a, b, { b: true }, { bias: everywhere, slope }), shape);
  }
  if (isFolded(z) && (bias || slope !== 1)) {
    const x = conv2dInput(y, w, shape, g), shifted = bias ? add(x, bias) : x;
    return slope === 1 ? shifted : leakyRelu(shifted, slope);
  }
  return apply({
    op: "conv2dInput",
    inputs: bias ? [y, w, bias] : [y, w],
    shape,
    forward: (x) => gatherTransposed(y, w, x, z, epilogue),
    backward: (dx, x, need) => {
      const dz = throughEpilogue(dx, x, epilogue);
      return [
        need[0] ? conv2d(dz, w, g) : null,
        need[1] ? conv2dWeight(dz, y, w.shape, g) : null,
        need[2] ? biasGradient(dz, epilogue) : null,
      ];
    },
  });
}

/**
 * The gradient of {@linkcode conv2d} with respect to `w`.
 *
 * @param x `[N, H, W, C]`.
 * @param y `[N, Y, X, O]`.
 * @param shape Of the result, `[kh, kw, C, O]`.
 */
export function conv2dWeight(x: Tensor, y: Tensor, shape: Shape, g: Geometry): Tensor {
  const z = sizes("conv2dWeight", x.shape, shape, g, y.shape);
  if (isDense(z)) {
    const [a, b] = [reshape(x, [z.N, z.kh * z.kw * z.C]), reshape(y, [z.N, z.O])];
    return reshape(matmul(a, b, { a: true }), shape);
  }
  return apply({
    op: "conv2dWeight",
    inputs: [x, y],
    shape,
    forward: (w) => sumPixels(x, y, w, z),
    backward: (dw, _, need) => [
      need[0] ? conv2dInput(y, dw, x.shape, g) : null,
      need[1] ? conv2d(x, dw, g) : null,
    ],
  });
}

function sizes(op: string, x: Shape, w: Shape, g: Geometry, y?: Shape): Sizes {
  const [N, H, W, C] = x, [kh, kw, Cw, O] = w, { stride: s, padding: p } = g;
  const Y = Math.floor((H + 2 * p - kh) / s) + 1, X = Math.floor((W + 2 * p - kw) / s) + 1;
  if (x.length !== 4 || w.length !== 4 || C !== Cw) {
    throw new RangeError(`${op}: channels differ: x is [${x}], w is [${w}]`);
  }
  if (!(Y > 0 && X > 0)) {
    throw new RangeError(`${op}: w [${w}] does not fit into x [${x}] with padding ${p}`);
  }
  if (y && !sameShape(y, [N, Y, X, O])) {
    throw new RangeError(`${op}: y is [${y}], expected [${[N, Y, X, O]}]`);
  }
  return { N, H, W, C, kh, kw, O, Y, X, s, p };
}

/** True if the window covers the whole picture: then it is a product of matrices. */
function isDense({ H, W, kh, kw, p }: Sizes): boolean {
  return H === kh && W === kw && p === 0;
}

/** Operations of each of the three, border included. */
function flop({ N, C, kh, kw, O, Y, X }: Sizes): number {
  return 2 * N * Y * X * kh * kw * C * O;
}

/** The picture `x` with its frame, as the forward gather and the weight gradient read it. */
function layoutX({ N, H, W, C, kh, kw, Y, X, s, p }: Sizes): Layout {
  return {
    ...plain([N, H, W, C], up(C, C <= 4 ? 4 : 8)),
    rows: (Y - 1) * s + kh,
    top: p,
    columns: (X - 1) * s + kw,
    left: p,
  };
}

/** The picture `y` with its frame, as the transposed gather and the weight gradient read it. */
function layoutY({ N, H, W, kh, kw, O, Y, X, s, p }: Sizes): Layout {
  const along = (k: number, size: number) => {
    let before = 0, after = 0;
    for (let c = 0; c < s; c++) {
      const r = (c + p) % s, b = Math.floor((c + p) / s);
      const taps = r < k ? Math.ceil((k - r) / s) : 0;
      if (taps > 0) before = Math.max(before, taps - 1 - b);
      after = Math.max(after, b);
    }
    return { before, all: before + Math.ceil(size / s) + after };
  };
  const y = along(kh, H), x = along(kw, W);
  return {
    ...plain([N, Y, X, O], up(O, O <= 4 ? 4 : 8)),
    rows: Math.max(y.all, y.before + Y),
    top: y.before,
    // The weight gradient steps four or eight columns at a time: zeros for those behind the last.
    columns: Math.max(x.all, x.before + up(X, X > 4 && X <= 8 ? 8 : 4)),
    left: x.before,
  };
}

function gatherForward(x: Tensor, w: Tensor, y: Tensor, z: Sizes, epilogue: Epilogue): void {
  const { N, C, kh, kw, O, Y, X, s, p } = z;
  counters.flop += flop(z);
  const A = layoutX(z),
    B: Layout = {
      ...plain([kh * kw, C, 1, O], up(O, 4)),
      rows: A.channels,
    };
  const sizes = {
    rows: N * Y * X,
    TY: Y,
    TX: X,
    S: s,
    E: 1,
    kh,
    kw,
    pad: p,
    H: Y,
    W: X,
    OC: O,
  };
  gather({ a: x, A, b: w, B, transposed: false, sizes, epilogue }, y);
}

/** A product of pixels by `[taps, channels]`, whose parts are then added up where they overlap. */
function foldTransposed(y: Tensor, w: Tensor, x: Tensor, z: Sizes): void {
  const { N, C, kh, kw, O, Y, X } = z;
  const columns = noGrad(() =>
    matmul(reshape(y, [N * Y * X, O]), reshape(w, [kh * kw * C, O]), { b: true })
  );
  foldInto(x, columns, z);
}

/** To few channels, as in a picture, a gather leaves lanes idle: taps make up the columns then. */
function isFolded({ C, kh, kw }: Sizes): boolean {
  return C * kh * kw >= 16 && C <= 8;
}

function gatherTransposed(
  y: Tensor,
  w: Tensor,
  x: Tensor,
  z: Sizes,
  epilogue: Epilogue,
): void {
  if (isFolded(z)) return foldTransposed(y, w, x, z);
  const { N, H, W, C, kh, kw, O, s, p } = z;
  counters.flop += flop(z);
  const A = layoutY(z),
    B: Layout = {
      size: [kh * kw, O, 1, C],
      strides: [C * O, 1, 0, O],
      rows: A.channels,
      top: 0,
      columns: 1,
      left: 0,
      channels: up(C, 4),
    };
  const flipped = { ...plain([kh * kw, C, 1, O], A.channels), rows: up(C, 8) };
  const TY = Math.ceil(H / s), TX = Math.ceil(W / s);
  const sizes = {
    rows: N * TY * TX,
    TY,
    TX,
    S: 1,
    E: s,
    kh,
    kw,
    pad: p,
    H,
    W,
    OC: C,
  };
  gather({ a: y, A, b: w, B, flipped, transposed: true, sizes, epilogue }, x);
}

function sumPixels(x: Tensor, y: Tensor, w: Tensor, z: Sizes): void {
  counters.flop += flop(z);
  const unit = Math.max(panelBytes(layoutX(z)), panelBytes(layoutY(z))) / z.N;
  summed(w, [x, y], z.N, ([x, y], w, N) => sumWhole(x, y, w, { ...z, N }), addUp, unit);
}

function sumWhole(x: Tensor, y: Tensor, w: Tensor, z: Sizes): void {
  const texture = fitsTexture(layoutX(z)) && fitsTexture(layoutY(z));
  const { N, Y, kh, kw } = z;
  const problem = {
    rows: z.C,
    columns: z.O,
    terms: z.X,
    lines: N * Y,
    taps: kh * kw,
    products: 1,
    texture,
  };
  const plan = planFor("weight", problem, (plan) => {
    const { C, H, W, O, Y, X } = z, dw = empty(w.shape);
    launchWeight(sample([N, H, W, C]), sample([N, Y, X, O]), dw, z, plan);
    return dw;
  });
  launchWeight(x, y, w, z, plan);
}

function launchWeight(x: Tensor, y: Tensor, w: Tensor, z: Sizes, plan: Plan): void {
  if (plan.load === "tile") return launchTiledWeight(x, y, w, z, plan);
  const { N, C, kh, kw, O, Y, X, s } = z, A = layoutX(z), G = layoutY(z);
  const load = loadOf(plan), pa = pack(x, A, load, plan.precision);
  const pg = pack(y, G, load, plan.precision);
  const rowGroups = Math.ceil(C / (plan.MR * plan.wy));
  const colGroups = Math.ceil(Math.ceil(O / 4) / (plan.NV * plan.wx));
  const lines = N * Y, steps = Math.ceil(X / plan.KU), groups = rowGroups * colGroups * kh * kw;
  // Enough workgroups to keep every core busy, and no loop near the software device's limit.
  const wanted = Math.max(Math.ceil(plan.fill / groups), Math.ceil(lines * steps / 30_000));
  const perPart = Math.ceil(lines / Math.min(lines, wanted));
  const parts = Math.ceil(lines / perPart);
  const sums = parts === 1 ? w : empty([parts, w.size]), vec4 = O % 4 === 0;
  run(kernelOf(plan, Number(vec4), () => weightKernel(plan, vec4)), {
    A: pa.resource,
    G: pg.resource,
    y: sums,
  }, {
    lines,
    perPart,
    parts,
    OY: Y,
    OX: X,
    S: s,
    kh,
    kw,
    top: A.top - z.p,
    left: A.left - z.p,
    g_top: G.top,
    g_left: G.left,
    IC: C,
    OC: O,
    I4: A.channels / 4,
    O4: G.channels / 4,
    rowGroups,
    colGroups,
    A_rows: pa.rows,
    A_width: pa.width,
    G_rows: pg.rows,
    G_width: pg.width,
  }, folded(rowGroups * colGroups * Math.ceil(kh * kw * parts / plan.wz)));
  if (parts > 1) sumInto(w, sums, [1, parts, w.size]);
}

const MOST_PIXELS = 2 ** 24; // which float32 counts; the kernel divides by way of floats

function launchTiledWeight(x: Tensor, y: Tensor, w: Tensor, z: Sizes, plan: Plan): void {
  const { N, C, kh, kw, O, Y, X, s, p } = z, A = bare(layoutX(z)), G = bare(layoutY(z));
  const pixels = N * Y * X, I4 = A.channels / 4;
  if (pixels > MOST_PIXELS) {
    throw new RangeError(
      `conv2dWeight: ${N} pictures of ${Y}x${X} are more than ${MOST_PIXELS} pixels: take fewer`,
    );
  }
  const pa = pack(x, A, "buffer", plan.precision), pg = pack(y, G, "buffer", plan.precision);
  const rowGroups = Math.ceil(4 * I4 * kh * kw / (plan.MR * plan.wy));
  const colGroups = Math.ceil(Math.ceil(O / 4) / (plan.NV * plan.wx));
  const { parts, perPart } = split(
    plan,
    rowGroups * colGroups,
    Math.ceil(pixels / plan.KU),
    w.size,
  );
  const sums = parts === 1 ? w : empty([parts, w.size]), vec4 = O % 4 === 0;
  run(kernelOf(plan, Number(vec4), () => tiledWeight(plan, vec4)), {
    A: pa.resource,
    G: pg.resource,
    y: sums,
  }, {
    pixels,
    perPart: perPart * plan.KU,
    parts,
    OY: Y,
    OX: X,
    S: s,
    kh,
    kw,
    pad: p,
    IC: C,
    OC: O,
    I4,
    O4: G.channels / 4,
    rowGroups,
    colGroups,
    A_rows: pa.rows,
    A_columns: pa.width / I4,
  }, folded(rowGroups * colGroups * parts));
  if (parts > 1) sumInto(w, sums, [1, parts, w.size]);
}
