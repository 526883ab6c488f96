import type { Rectangle } from "./crop.ts";
import type { Image } from "./image.ts";

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
  const columns = tapsOf(resize, part.width, R);
  const rows = tapsOf(resize, part.height, R);
  // Along x first, for every source row; then along y.
  const narrow = new Float64Array(part.height * R * 3);
  for (let y = 0, d = 0; y < part.height; y++) {
    const row = ((part.y + y) * image.width + part.x) * 3;
    for (let x = 0; x < R; x++, d += 3) {
      let s = row + columns.first[x] * 3;
      let red = 0, green = 0, blue = 0;
      for (let t = 0; t < columns.count; t++, s += 3) {
        const weight = columns.weights[x * columns.count + t];
        red += weight * image.rgb[s];
        green += weight * image.rgb[s + 1];
        blue += weight * image.rgb[s + 2];
      }
      narrow[d] = red;
      narrow[d + 1] = green;
      narrow[d + 2] = blue;
    }
  }
  const result = new Uint8Array(R * R * 3);
  for (let y = 0; y < R; y++) {
    for (let i = 0; i < R * 3; i++) {
      let sum = 0;
      for (let t = 0; t < rows.count; t++) {
        sum += rows.weights[y * rows.count + t] * narrow[(rows.first[y] + t) * R * 3 + i];
      }
      result[y * R * 3 + i] = Math.floor(sum + 0.5);
    }
  }
  return result;
}
