/**
 * 2D convolution.
 *
 * A convolution is one trilinear form
 * `T(x, w, y) = k sum x[n, Y s + i - p, X s + j - p, c] w[i, j, c, o] y[n, Y, X, o]`, with groups over those
 * `c` and `o` alone that are of the same group.
 * The functions here are its derivatives with respect to `y`, `x` and `w`; each is the gradient of
 * the other two, so that gradients of every order exist. Images are `[N, H, W, C]`, weights
 * `[kh, kw, C / groups, O]`.
 *
 * @module
 */

import { apply, noGrad, reshape } from "../tensor/op.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import {
  flop,
  type Geometry,
  isDense,
  layoutX,
  layoutY,
  type Sizes,
  sizesOf,
} from "./conv2d_sizes.ts";
import { sumPixels } from "./conv2d_weight.ts";
import { add, leakyRelu } from "./elementwise.ts";
import { checkEpilogue, type Epilogue, throughEpilogue } from "./epilogue.ts";
import { foldInto } from "./fold.ts";
import { gather } from "./gather.ts";
import { matmul } from "./matmul.ts";
import { type Layout, plain } from "./panel.ts";
import { up } from "./plan_rules.ts";
import { broadcastTo } from "./reduce.ts";
import { narrowed, widened, widening } from "./conv2d_groups.ts";
import { gpu } from "../gpu/gpu.ts";

/**
 * Correlates `x` with `w`, with a bias and a leaky ReLU if asked for.
 *
 * @param x `[N, H, W, C]`.
 * @param w `[kh, kw, C / groups, O]`.
 * @param epilogue Its bias is `[O]`.
 * @returns `[N, Y, X, O]` with `Y = floor((H + 2 padding - kh) / stride) + 1`.
 * @throws {RangeError} If the channels of `x` and `w` differ, nothing is left, or the epilogue does not
 * fit.
 */
export function conv2d(x: Tensor, w: Tensor, g: Geometry, epilogue: Epilogue = {}): Tensor {
  const z = sizesOf("conv2d", x.shape, w.shape, g), m = widening(z);
  if (m > 1) return conv2d(x, widened(w, m, g), { ...g, groups: z.groups / m }, epilogue);
  checkEpilogue("conv2d", epilogue, z.O);
  if (isDense(z)) {
    const [a, b] = [reshape(x, [z.N, z.kh * z.kw * z.C]), reshape(w, [z.kh * z.kw * z.C, z.O])];
    return reshape(matmul(a, b, { scale: z.scale, precision: z.precision }, epilogue), [
      z.N,
      1,
      1,
      z.O,
    ]);
  }
  const { bias } = epilogue;
  return apply({
    op: "conv2d",
    inputs: bias ? [x, w, bias] : [x, w],
    shape: [z.N, z.Y, z.X, z.O],
    forward: (y) => gatherForward(x, w, y, z, epilogue),
    backward: (dy, y, need) => {
      const [dz, db] = throughEpilogue(dy, y, epilogue, need[2]);
      return [
        need[0] ? conv2dInput(dz, w, x.shape, g) : null,
        need[1] ? conv2dWeight(x, dz, w.shape, g) : null,
        db,
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
  const z = sizesOf("conv2dInput", shape, w.shape, g, y.shape), { bias, slope = 1 } = epilogue;
  checkEpilogue("conv2dInput", epilogue, z.C);
  const m = widening(z);
  if (m > 1) {
    return conv2dInput(y, widened(w, m, g), shape, { ...g, groups: z.groups / m }, epilogue);
  }
  if (isDense(z)) {
    const [a, b] = [reshape(y, [z.N, z.O]), reshape(w, [z.kh * z.kw * z.C, z.O])];
    // Each tap has columns of its own.
    const everywhere = bias && reshape(broadcastTo(bias, [z.kh * z.kw, z.C]), [b.shape[0]]);
    return reshape(
      matmul(a, b, { b: true, scale: z.scale, precision: z.precision }, {
        bias: everywhere,
        slope,
      }),
      shape,
    );
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
      const [dz, db] = throughEpilogue(dx, x, epilogue, need[2]);
      return [
        need[0] ? conv2d(dz, w, g) : null,
        need[1] ? conv2dWeight(dz, y, w.shape, g) : null,
        db,
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
  const z = sizesOf("conv2dWeight", x.shape, shape, g, y.shape), m = widening(z);
  if (m > 1) {
    const [kh, kw, C, O] = shape, wide = [kh, kw, m * C, O];
    return narrowed(conv2dWeight(x, y, wide, { ...g, groups: z.groups / m }), m, g);
  }
  if (isDense(z)) {
    const [a, b] = [reshape(x, [z.N, z.kh * z.kw * z.C]), reshape(y, [z.N, z.O])];
    return reshape(matmul(a, b, { a: true, scale: z.scale, precision: z.precision }), shape);
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

function gatherForward(x: Tensor, w: Tensor, y: Tensor, z: Sizes, epilogue: Epilogue): void {
  const { N, kh, kw, O, Y, X, s, py, px, groups } = z, C = z.C / groups;
  gpu().counters.flop += flop(z);
  const A = layoutX(z),
    B: Layout = {
      ...plain([kh * kw, C, 1, O], up(O, 4)),
      rows: A.channels / groups,
    };
  const sizes = {
    rows: N * Y * X,
    TY: Y,
    TX: X,
    S: s,
    E: 1,
    kh,
    kw,
    pad_y: py,
    pad_x: px,
    H: Y,
    W: X,
    OC: O,
  };
  gather({
    a: x,
    A,
    b: w,
    B,
    transposed: false,
    sizes,
    groups,
    scale: z.scale,
    precision: z.precision,
    epilogue,
  }, y);
}

/** A product of pixels by `[taps, channels]`, whose results are summed where they overlap. */
function foldTransposed(y: Tensor, w: Tensor, x: Tensor, z: Sizes): void {
  const { N, C, kh, kw, O, Y, X, scale, precision } = z;
  const columns = noGrad(() =>
    matmul(reshape(y, [N * Y * X, O]), reshape(w, [kh * kw * C, O]), { b: true, scale, precision })
  );
  foldInto(x, columns, z);
}

/** With few output channels, as of an RGB image, a gather leaves lanes idle: taps are the columns then. */
function isFolded({ C, kh, kw, groups }: Sizes): boolean {
  return groups === 1 && C * kh * kw >= 16 && C <= 8;
}

function gatherTransposed(
  y: Tensor,
  w: Tensor,
  x: Tensor,
  z: Sizes,
  epilogue: Epilogue,
): void {
  if (isFolded(z)) return foldTransposed(y, w, x, z);
  const { N, H, W, kh, kw, O, s, py, px, groups } = z, C = z.C / groups;
  gpu().counters.flop += flop(z);
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
    pad_y: py,
    pad_x: px,
    H,
    W,
    OC: z.C,
  };
  gather({
    a: y,
    A,
    b: w,
    B,
    flipped,
    transposed: true,
    sizes,
    groups,
    scale: z.scale,
    precision: z.precision,
    epilogue,
  }, x);
}
