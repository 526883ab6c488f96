import { averaged } from "./area.ts";
import type { Rectangle } from "./crop.ts";
import { type Image, type Samples, samplesOf } from "./image.ts";

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
  image: Image,
  part: Rectangle,
  R: number,
  resize: Resize = "area",
): Uint8Array<ArrayBuffer> {
  return resampled(samplesOf(image), part, R, resize, 3);
}

/**
 * As {@linkcode resample}, of samples as they were decoded.
 *
 * Where pixels with alpha are averaged, each color counts as much as it is opaque, as by Pillow's `resize`
 * and `reduce`. Colors that nobody sees become black: they are not to be learned.
 *
 * @param C Channels of the result, the first ones of the samples.
 * @returns `[R, R, C]`.
 */
export function resampled(
  image: Samples,
  part: Rectangle,
  R: number,
  resize: Resize,
  C: number,
): Uint8Array<ArrayBuffer> {
  const exact = resize === "area" && C === 3 ? averaged(image, part, R) : undefined;
  if (exact) return exact;
  const columns = tapsOf(resize, part.width, R), rows = tapsOf(resize, part.height, R);
  const isSame = part.width === R && part.height === R;
  const averages = C === 4 && resize !== "nearest" && !isSame;
  const seen = averages ? premultiplied(image, part) : image;
  const from = averages ? { ...part, x: 0, y: 0 } : part;
  // Along x first, for every source row; then along y.
  const narrow = C === 3
    ? reduceColors(seen, from, columns)
    : reduceChannels(seen, from, columns, C);
  const pixels = reduceRows(narrow, rows, R * C);
  if (C === 4) unpremultiply(pixels, averages);
  return pixels;
}

/** A color times its opacity, rounded as in Pillow's mode `RGBa`. */
export function timesAlpha(sample: number, alpha: number): number {
  const product = sample * alpha + 128;
  return ((product >> 8) + product) >> 8;
}

/** A part whose colors are multiplied by their opacities. */
function premultiplied({ width, data }: Samples, part: Rectangle): Samples {
  const made = new Uint8Array(4 * part.width * part.height);
  for (let y = 0, d = 0; y < part.height; y++) {
    let s = 4 * ((part.y + y) * width + part.x);
    for (let x = 0; x < part.width; x++, s += 4, d += 4) {
      const alpha = data[s + 3];
      for (let c = 0; c < 3; c++) made[d + c] = timesAlpha(data[s + c], alpha);
      made[d + 3] = alpha;
    }
  }
  return { width: part.width, height: part.height, data: made, step: 4 };
}

/** The reverse, in place, if colors were multiplied; what is transparent becomes black in any case. */
export function unpremultiply(pixels: Uint8Array, wereMultiplied: boolean): void {
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = pixels[i + 3];
    if (alpha === 255 || (alpha > 0 && !wereMultiplied)) continue;
    for (let c = i; c < i + 3; c++) {
      pixels[c] = alpha === 0 ? 0 : Math.min(255, Math.floor(255 * pixels[c] / alpha));
    }
  }
}

/** Along x: `[part.height, R, C]`. */
function reduceChannels(
  { width, data, step }: Samples,
  part: Rectangle,
  { count, first, weights }: Taps,
  C: number,
): Float64Array {
  const R = first.length, narrow = new Float64Array(part.height * R * C);
  for (let y = 0, d = 0; y < part.height; y++) {
    const row = (part.y + y) * width + part.x;
    for (let x = 0; x < R; x++, d += C) {
      for (let t = 0, s = (row + first[x]) * step; t < count; t++, s += step) {
        const weight = weights[x * count + t];
        for (let c = 0; c < C; c++) narrow[d + c] += weight * data[s + c];
      }
    }
  }
  return narrow;
}

/** The same for three channels, which most images have, in half the time. */
function reduceColors(
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
