/**
 * Convolutions of images whose pixels are doubled before, or averaged behind, as one convolution of stride 2:
 * where neighbours are equal, or are summed up, so may the weight's taps be. A 3x3 kernel becomes 4x4, with
 * 4/9 of the work.
 *
 * @module
 */
import wgsl from "./resampled_conv.wgsl" with { type: "text" };
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { conv2d, conv2dInput } from "./conv2d.ts";
import type { Geometry } from "./conv2d_sizes.ts";
import { byElement } from "./element.ts";
import type { Epilogue } from "./epilogue.ts";

const kernels = byElement("resampled_conv", wgsl, ["main"]);

/** What may be chosen of a convolution with changes of size: its stride is 1, and it has no groups. */
export interface ResampledGeometry extends Pick<Geometry, "scale" | "precision"> {
  /** Zeros around the image at the convolution, in pixels: less than the kernel's side. */
  readonly padding: number;
}

/**
 * `conv2d(upNearest(x, 2), w)` of stride 1, but for rounding, in about 4/9 of the work.
 *
 * @param x `[N, H, W, C]`.
 * @param w `[k, k, C, O]`.
 * @param epilogue Its bias is `[O]`.
 * @returns `[N, 2 H + 2 padding - k + 1, ..., O]`.
 * @throws {RangeError} If the kernel is no square or does not fit, or as {@linkcode conv2d} does.
 */
export function upConv2d(x: Tensor, w: Tensor, g: ResampledGeometry, epilogue?: Epilogue): Tensor {
  const [N, H, W] = x.shape, [k, , , O] = assertKernel("upConv2d", x, w, g.padding);
  const side = (size: number) => 2 * size + 2 * g.padding - k + 1;
  const geometry = { ...g, stride: 2, padding: k - 1 - g.padding };
  return conv2dInput(x, turned(w, k + 1, k), [N, side(H), side(W), O], geometry, epilogue);
}

/**
 * `downAverage(conv2d(x, w), 2)` of stride 1, but for rounding, in about 4/9 of the work.
 *
 * @param x `[N, H, W, C]`; the sides behind the convolution, `H + 2 padding - k + 1` and so on, are even.
 * @param w `[k, k, C, O]`.
 * @param bias `[O]`, added to means.
 * @returns `[N, (H + 2 padding - k + 1) / 2, ..., O]`.
 * @throws {RangeError} If the kernel is no square or does not fit, a side is odd, or as {@linkcode conv2d} does.
 */
export function downConv2d(x: Tensor, w: Tensor, g: ResampledGeometry, bias?: Tensor): Tensor {
  const [, H, W] = x.shape, [k] = assertKernel("downConv2d", x, w, g.padding);
  const sides = [H, W].map((size) => size + 2 * g.padding - k + 1);
  if (sides.some((side) => side < 2 || side % 2)) {
    throw new RangeError(
      `downConv2d: got sides of ${sides.join(" and ")}, expected even ones of 2 or more`,
    );
  }
  return conv2d(x, summed(w, k + 1, -1, 1 / 4), { ...g, stride: 2 }, { bias });
}

function assertKernel(op: string, x: Tensor, w: Tensor, padding: number): Tensor["shape"] {
  const [k, width, C] = w.shape;
  if (x.shape.length !== 4 || w.shape.length !== 4 || x.shape[3] !== C) {
    throw new RangeError(`${op}: channels differ: x is [${x.shape}], w is [${w.shape}]`);
  }
  if (k !== width || !(Number.isInteger(padding) && padding >= 0 && padding < k)) {
    throw new RangeError(
      `${op}: got w [${w.shape}] and padding ${padding}, expected [k, k, C, O] and 0 to k - 1`,
    );
  }
  return w.shape;
}

/** `[from, from, C, O] -> [to, to, C, O]`: `scale` times taps `o + i` and `o + i + 1`, along both axes. */
function summed(x: Tensor, to: number, o: number, scale: number): Tensor {
  const [from, , C, O] = x.shape;
  return apply({
    op: "summedTaps",
    inputs: [x],
    shape: [to, to, C, O],
    forward: (y) => dispatch(x, y, { o, s: 1, sm: O, sn: 1, scale }),
    backward: (dy) => [summed(dy, from, -1 - o, scale)],
  });
}

/** `[from, from, C, O] -> [to, to, O, C]`: taps `k - 1 - i` and `k - i`, along both axes. It is its own adjoint. */
function turned(x: Tensor, to: number, k: number): Tensor {
  const [from, , C, O] = x.shape;
  return apply({
    op: "turnedTaps",
    inputs: [x],
    shape: [to, to, O, C],
    forward: (y) => dispatch(x, y, { o: k - 1, s: -1, sm: 1, sn: O, scale: 1 }),
    backward: (dy) => [turned(dy, from, k)],
  });
}

type Taps = Readonly<Record<"o" | "s" | "sm" | "sn" | "scale", number>>;

function dispatch(x: Tensor, y: Tensor, { sm, ...taps }: Taps): void {
  const [side, , M, O] = y.shape, wide = taps.sn === 1 && O % 4 === 0, V = wide ? 4 : 1, N = O / V;
  const params = { before: x.shape[0], side, M, N, sm: sm / V, ...taps };
  run(kernels[wide ? "vec4f" : "f32"].main, { x, y }, params, [Math.ceil(N / 64), M, side ** 2]);
}
