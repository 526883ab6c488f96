/**
 * The sizes of a convolution, and how its images are laid out for the kernels.
 *
 * @module
 */
import { sameShape, type Shape } from "../tensor/tensor.ts";
import { type Layout, plain } from "./panel.ts";
import type { Precision } from "./precision.ts";
import { up } from "./plan_rules.ts";

/** Stride and zero padding in pixels, and a factor. */
export interface Geometry {
  /** Pixels between two places of the kernel. */
  readonly stride: number;
  /** Zeros around the image, in pixels; as a pair, above and below, then left and right. */
  readonly padding: number | readonly [rows: number, columns: number];
  /** What every sum is multiplied by; 1 if left out. */
  readonly scale?: number | undefined;
  /**
   * Into how many groups the channels of both sides fall; outputs of a group see its inputs only. 1 if left
   * out; as many as there are channels for a depthwise convolution.
   */
  readonly groups?: number | undefined;
  /** How operands are stored, here and in the backward pass; `f32` if left out. */
  readonly precision?: Precision | undefined;
}

/** All sizes of one convolution. */
export interface Sizes {
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
  py: number;
  px: number;
  scale: number;
  groups: number;
  precision: Precision;
}

export function sizesOf(op: string, x: Shape, w: Shape, g: Geometry, y?: Shape): Sizes {
  const { scale = 1, groups = 1, precision = "f32" } = g;
  const [N, H, W, C] = x, [kh, kw, Cw, O] = w, { stride: s, padding } = g;
  const [py, px] = typeof padding === "number" ? [padding, padding] : padding;
  const Y = Math.floor((H + 2 * py - kh) / s) + 1, X = Math.floor((W + 2 * px - kw) / s) + 1;
  if (x.length !== 4 || w.length !== 4 || C !== Cw * groups || O % groups) {
    const each = groups > 1 ? `, in ${groups} groups` : "";
    throw new RangeError(`${op}: channels differ: x is [${x}], w is [${w}]${each}`);
  }
  if (!(Y > 0 && X > 0)) {
    throw new RangeError(`${op}: w [${w}] does not fit into x [${x}] with padding ${padding}`);
  }
  if (y && !sameShape(y, [N, Y, X, O])) {
    throw new RangeError(`${op}: y is [${y}], expected [${[N, Y, X, O]}]`);
  }
  return { N, H, W, C, kh, kw, O, Y, X, s, py, px, scale, groups, precision };
}

/** True if the window covers the whole image: then it is a product of matrices. */
export function isDense({ H, W, kh, kw, py, px, groups }: Sizes): boolean {
  return groups === 1 && H === kh && W === kw && py === 0 && px === 0;
}

/** Operations of each of the three, border included. */
export function flop({ N, C, kh, kw, O, Y, X, groups }: Sizes): number {
  return 2 * N * Y * X * kh * kw * C * O / groups;
}

/** Channels as they are laid out: loops go over eight of them, but end where a group does. */
function padded(channels: number, groups: number): number {
  return groups > 1 ? channels : up(channels, channels <= 4 ? 4 : 8);
}

/** The image `x` with its frame, as the forward gather and the weight gradient read it. */
export function layoutX({ N, H, W, C, kh, kw, Y, X, s, py, px, groups }: Sizes): Layout {
  return {
    ...plain([N, H, W, C], padded(C, groups)),
    rows: (Y - 1) * s + kh,
    top: py,
    columns: (X - 1) * s + kw,
    left: px,
  };
}

/** The image `y` with its frame, as the transposed gather and the weight gradient read it. */
export function layoutY({ N, H, W, kh, kw, O, Y, X, s, py, px, groups }: Sizes): Layout {
  const along = (k: number, size: number, p: number) => {
    let before = 0, after = 0;
    for (let c = 0; c < s; c++) {
      const r = (c + p) % s, b = Math.floor((c + p) / s);
      const taps = r < k ? Math.ceil((k - r) / s) : 0;
      if (taps > 0) before = Math.max(before, taps - 1 - b);
      after = Math.max(after, b);
    }
    return { before, all: before + Math.ceil(size / s) + after };
  };
  const y = along(kh, H, py), x = along(kw, W, px);
  return {
    ...plain([N, Y, X, O], padded(O, groups)),
    rows: Math.max(y.all, y.before + Y),
    top: y.before,
    // The weight gradient steps four or eight columns at a time: zeros for those behind the last.
    columns: Math.max(x.all, x.before + up(X, X > 4 && X <= 8 ? 8 : 4)),
    left: x.before,
  };
}
