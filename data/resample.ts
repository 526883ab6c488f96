import { averaged } from "./area.ts";
import type { Rectangle } from "./crop.ts";
import type { Image, Samples } from "./image.ts";

/**
 * How pixels are made from pixels. `area` averages exactly what a pixel of the result covers;
 * `bilinear` takes the four pixels round its centre (half-pixel centres, no antialiasing), as
 * `F.interpolate(align_corners=False)` does; `nearest` takes the one under its centre.
 */
export type Resize = "area" | "bilinear" | "nearest";

/** For each pixel of the result along one axis: the first source pixel, and the weights from there. */
interface Taps {
  count: number;
  first: Int32Array;
  weights: Float64Array;
}

function areaTaps(from: number, to: number): Taps {
  const scale = from / to;
  const count = Math.min(from, Math.ceil(scale) + 1);
  const taps = { count, first: new Int32Array(to), weights: new Float64Array(to * count) };
  for (let i = 0; i < to; i++) {
    const low = i * scale;
    const high = (i + 1) * scale;
    const first = taps.first[i] = Math.min(Math.floor(low), from - count);
    for (let t = 0; t < count; t++) {
      const covered = Math.min(high, first + t + 1) - Math.max(low, first + t);
      taps.weights[i * count + t] = Math.max(0, covered) / scale;
    }
  }
  return taps;
}

function pointTaps(resize: "bilinear" | "nearest", from: number, to: number): Taps {
  const count = resize === "bilinear" ? Math.min(2, from) : 1;
  const taps = { count, first: new Int32Array(to), weights: new Float64Array(to * count).fill(1) };
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * from / to;
    if (count === 1) {
      taps.first[i] = Math.min(from - 1, Math.floor(centre));
      continue;
    }
    const at = Math.min(from - 1, Math.max(0, centre - 0.5));
    const first = taps.first[i] = Math.min(from - 2, Math.floor(at));
    taps.weights[i * 2] = 1 - (at - first);
    taps.weights[i * 2 + 1] = at - first;
  }
  return taps;
}

function tapsOf(resize: Resize, from: number, to: number): Taps {
  return resize === "area" ? areaTaps(from, to) : pointTaps(resize, from, to);
}

/**
 * Cuts a part out of an image and makes it a square; a part that is not square is squashed.
 *
 * @param image The image.
 * @param part The part, within the image.
 * @param R Side of the result in pixels.
 * @param resize How, `area` by default.
 * @returns `[R, R, 3]`.
 */
export function resample(
  { width, height, rgb: data }: Image,
  part: Rectangle,
  R: number,
  resize: Resize = "area",
): Uint8Array<ArrayBuffer> {
  return resampled({ width, height, data, step: 3 }, part, R, resize);
}

/** As {@linkcode resample}, of samples as they were decoded. */
export function resampled(
  image: Samples,
  part: Rectangle,
  R: number,
  resize: Resize,
): Uint8Array<ArrayBuffer> {
  const exact = resize === "area" ? averaged(image, part, R) : undefined;
  if (exact) return exact;
  const columns = tapsOf(resize, part.width, R), rows = tapsOf(resize, part.height, R);
  // Along x first, for every source row; then along y.
  return reduceRows(reduceColumns(image, part, columns), rows, R * 3);
}

/** Along x: `[part.height, R, 3]`. */
function reduceColumns(
  { width, data, step }: Samples,
  part: Rectangle,
  { count, first, weights }: Taps,
): Float64Array {
  const R = first.length, narrow = new Float64Array(part.height * R * 3);
  for (let y = 0, d = 0; y < part.height; y++) {
    const row = (part.y + y) * width + part.x;
    for (let x = 0, w = 0; x < R; x++, d += 3) {
      let s = (row + first[x]) * step;
      let red = 0, green = 0, blue = 0;
      for (const end = w + count; w < end; w++, s += step) {
        const weight = weights[w];
        red += weight * data[s];
        green += weight * data[s + 1];
        blue += weight * data[s + 2];
      }
      narrow[d] = red;
      narrow[d + 1] = green;
      narrow[d + 2] = blue;
    }
  }
  return narrow;
}

/** Along y, rounded half up; a row of the result is summed as a whole, source row by source row. */
function reduceRows(
  narrow: Float64Array,
  { count, first, weights }: Taps,
  stride: number,
): Uint8Array<ArrayBuffer> {
  const R = first.length, result = new Uint8Array(R * stride), sums = new Float64Array(stride);
  for (let y = 0, d = 0; y < R; y++, d += stride) {
    sums.fill(0);
    for (let t = 0, s = first[y] * stride; t < count; t++, s += stride) {
      const weight = weights[y * count + t];
      if (weight === 0) continue; // adds nothing
      for (let i = 0; i < stride; i++) sums[i] += weight * narrow[s + i];
    }
    for (let i = 0; i < stride; i++) result[d + i] = Math.floor(sums[i] + 0.5);
  }
  return result;
}
