/**
 * Resizes images: nearest neighbours and their adjoint, averages; by 2
 * with a smoothing filter; linear interpolation.
 *
 * @module
 */
import wgsl from "./resample.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply, reshape } from "../tensor/op.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";

const ENTRIES = ["up", "down", "up_smooth", "down_smooth", "interpolate", "gather"] as const;
type Entry = typeof ENTRIES[number];
const kernels = byElement("resample", wgsl, ENTRIES);

// A square of pixels is one loop, and the software device ends loops at 65,535 iterations.
const MOST = 240;

interface Sizes {
  A: number;
  R: number;
  S?: number;
  B: number;
  f?: number;
  k?: number;
}

function dispatch(entry: Entry, x: Tensor, y: Tensor, { A, R, S = 0, B, f = 1, k = 1 }: Sizes) {
  const wide = B % 4 === 0, size = entry.startsWith("up") ? x.size : y.size;
  run(
    kernels[wide ? "vec4f" : "f32"][entry],
    { x, y },
    { A, R, S, B: wide ? B / 4 : B, f, k },
    folded(Math.ceil((wide ? size / 4 : size) / 64)),
  );
}

/**
 * Repeats every pixel `factor` times along height and width: `y[h, w] = x[h / factor, w / factor]`.
 *
 * @param x `[N, H, W, C]`
 * @returns `[N, factor H, factor W, C]`
 * @throws {RangeError} If `x` has no four axes, or `factor` is not an integer of 1 to 240.
 */
export function upNearest(x: Tensor, factor: number): Tensor {
  assertImages("upNearest", x, factor);
  return up(x, factor, 1);
}

/**
 * The mean of every `factor` by `factor` square of pixels.
 *
 * @param x `[N, H, W, C]`
 * @returns `[N, H / factor, W / factor, C]`
 * @throws {RangeError} If `factor` does not divide height and width, or as in {@linkcode upNearest}.
 */
export function downAverage(x: Tensor, factor: number): Tensor {
  const [, H, W] = assertImages("downAverage", x, factor);
  if (H % factor || W % factor) {
    throw new RangeError(`downAverage: ${factor} does not divide height and width of [${x.shape}]`);
  }
  return down(x, factor, 1 / factor ** 2);
}

function assertImages(op: string, x: Tensor, factor: number): Shape {
  if (x.shape.length !== 4) {
    throw new RangeError(`${op}: got shape [${x.shape}], expected [N, H, W, C]`);
  }
  if (!Number.isInteger(factor) || factor < 1 || factor > MOST) {
    throw new RangeError(`${op}: got factor ${factor}, expected an integer of 1 to ${MOST}`);
  }
  return x.shape;
}

function up(x: Tensor, f: number, k: number): Tensor {
  const [N, H, W, C] = x.shape;
  return apply({
    op: "upNearest",
    inputs: [x],
    shape: [N, f * H, f * W, C],
    forward: (y) => dispatch("up", x, y, { A: N * H, R: W, B: C, f, k }),
    backward: (dy) => [down(dy, f, k)],
  });
}

function down(x: Tensor, f: number, k: number): Tensor {
  const [N, H, W, C] = x.shape;
  return apply({
    op: "downAverage",
    inputs: [x],
    shape: [N, H / f, W / f, C],
    forward: (y) => dispatch("down", x, y, { A: N * H / f, R: W / f, B: C, f, k }),
    backward: (dy) => [up(dy, f, k)],
  });
}

/**
 * Doubles height and width: every pixel repeated, then smoothed by [1, 2, 1] / 4 along both axes. So a pixel
 * is 3/4 of the nearest and 1/4 of the next along each axis, and beyond the edges is 0.
 *
 * @param x `[N, H, W, C]`
 * @returns `[N, 2 H, 2 W, C]`
 * @throws {RangeError} If `x` has no four axes.
 * @see Huang et al. 2024, https://arxiv.org/abs/2501.05441
 */
export function upSmooth(x: Tensor): Tensor {
  assertImages("upSmooth", x, 2);
  return smoothUp(x, 1);
}

/**
 * Halves height and width: smoothed by [1, 2, 1] / 4 along both axes, with zeros around, then the mean of
 * every square of 2 by 2 pixels. Its adjoint is a quarter of {@linkcode upSmooth}.
 *
 * @param x `[N, H, W, C]`
 * @returns `[N, H / 2, W / 2, C]`
 * @throws {RangeError} If `x` has no four axes, or its height or width is odd.
 */
export function downSmooth(x: Tensor): Tensor {
  const [, H, W] = assertImages("downSmooth", x, 2);
  if (H % 2 || W % 2) {
    throw new RangeError(`downSmooth: got shape [${x.shape}], expected an even height and width`);
  }
  return smoothDown(x, 0.5);
}

/** `k` is a factor along each axis. */
function smoothUp(x: Tensor, k: number): Tensor {
  const [N, H, W, C] = x.shape;
  return apply({
    op: "upSmooth",
    inputs: [x],
    shape: [N, 2 * H, 2 * W, C],
    forward: (y) => dispatch("up_smooth", x, y, { A: N * H, R: W, S: H, B: C, f: 2, k }),
    backward: (dy) => [smoothDown(dy, k)],
  });
}

function smoothDown(x: Tensor, k: number): Tensor {
  const [N, H, W, C] = x.shape, R = W / 2, S = H / 2;
  return apply({
    op: "downSmooth",
    inputs: [x],
    shape: [N, S, R, C],
    forward: (y) => dispatch("down_smooth", x, y, { A: N * S, R, S, B: C, f: 2, k }),
    backward: (dy) => [smoothUp(dy, k)],
  });
}

/**
 * Resizes by linear interpolation of the nearest two pixels along either axis: pixel centres at
 * halves, edges held, no smoothing when it shrinks. PyTorch's `interpolate(mode="bilinear",
 * align_corners=False)`.
 *
 * @param x `[N, H, W, C]`
 * @param size `[H2, W2]`
 * @returns `[N, H2, W2, C]`
 * @throws {RangeError} If `x` has no four axes, or a size is not an integer of 1 to 16,384.
 */
export function bilinear(x: Tensor, [H2, W2]: readonly [number, number]): Tensor {
  if (x.shape.length !== 4) {
    throw new RangeError(`bilinear: got shape [${x.shape}], expected [N, H, W, C]`);
  }
  const [N, H, W, C] = x.shape;
  for (const size of [H, W, H2, W2]) {
    // The shader counts in units of half an output pixel, in 32 bits.
    if (!Number.isInteger(size) || size < 1 || size > 16_384) {
      throw new RangeError(
        `bilinear: [${H}, ${W}] to [${H2}, ${W2}]: expected sizes of 1 to 16384`,
      );
    }
  }
  const tall = H === H2 ? x : interpolate(x, [N, H, W * C], H2);
  const y = W === W2 ? tall : interpolate(tall, [N * H2, W, C], W2);
  return reshape(y, [N, H2, W2, C]);
}

type View = readonly [A: number, R: number, B: number];

/** `[A, R, B] -> [A, S, B]` */
function interpolate(x: Tensor, [A, R, B]: View, S: number): Tensor {
  return apply({
    op: "bilinear",
    inputs: [x],
    shape: [A, S, B],
    forward: (y) => dispatch("interpolate", x, y, { A, R, S, B }),
    backward: (dy) => [reshape(gather(dy, [A, R, B], S), x.shape)],
  });
}

/** `[A, S, B] -> [A, R, B]`, the adjoint of {@linkcode interpolate}. */
function gather(x: Tensor, [A, R, B]: View, S: number): Tensor {
  return apply({
    op: "bilinearGrad",
    inputs: [x],
    shape: [A, R, B],
    forward: (y) => dispatch("gather", x, y, { A, R, S, B }),
    backward: (dy) => [reshape(interpolate(dy, [A, R, B], S), x.shape)],
  });
}
