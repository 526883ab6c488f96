/**
 * Resizing in float as Pillow and TensorFlow 1 do it, for evaluation tools that enlarge images by them.
 *
 * @module
 */
import type { Image } from "../data/image.ts";

/**
 * `bicubic` and `box` are Pillow's filters of an image of floats (mode F), widened where it shrinks;
 * `tensorflow` is TensorFlow 1's bilinear interpolation, which aligns the corners of the first pixels
 * and does not smooth.
 */
export type Filter = "bicubic" | "box" | "tensorflow";

/** For each pixel of the result along one axis: the first source pixel, and the weights from there. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `[to, width]` */
  readonly weights: Float64Array;
  readonly width: number;
}

/** Keys' cubic with a = -1/2, and a box, over their own pixel size. */
const PILLOW = {
  bicubic: {
    support: 2,
    weight(x: number): number {
      x = Math.abs(x);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
  box: { support: 0.5, weight: (x: number) => x > -0.5 && x <= 0.5 ? 1 : 0 },
} as const;

/** `precompute_coeffs` of Pillow's Resample.c. */
function pillowTaps(filter: "bicubic" | "box", from: number, to: number): Taps {
  const { support, weight } = PILLOW[filter], scale = from / to, stretch = Math.max(1, scale);
  const reach = support * stretch, width = Math.ceil(reach) * 2 + 1;
  const taps = {
    first: new Int32Array(to),
    count: new Int32Array(to),
    weights: new Float64Array(to * width),
    width,
  };
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const first = taps.first[i] = Math.max(0, Math.trunc(centre - reach + 0.5));
    const count = taps.count[i] = Math.min(from, Math.trunc(centre + reach + 0.5)) - first;
    const weights = taps.weights.subarray(i * width, i * width + count);
    for (let t = 0; t < count; t++) weights[t] = weight((t + first - centre + 0.5) * (1 / stretch));
    const total = weights.reduce((a, b) => a + b, 0);
    if (total !== 0) { for (let t = 0; t < count; t++) weights[t] /= total; }
  }
  return taps;
}

/** In float32, as torch-fidelity computes the places. */
function tensorflowTaps(from: number, to: number): Taps {
  const taps = {
    first: new Int32Array(to),
    count: new Int32Array(to),
    weights: new Float64Array(to * 2),
    width: 2,
  };
  const scale = Math.fround(from / to);
  for (let i = 0; i < to; i++) {
    const at = Math.fround(i * scale), first = taps.first[i] = Math.min(from - 1, Math.trunc(at));
    taps.count[i] = Math.min(2, from - first);
    const t = taps.count[i] === 2 ? at - first : 0;
    taps.weights[2 * i] = 1 - t;
    taps.weights[2 * i + 1] = t;
  }
  return taps;
}

const kept = new Map<string, Taps>();

function tapsOf(filter: Filter, from: number, to: number): Taps {
  const key = `${filter} ${from} ${to}`;
  let taps = kept.get(key);
  if (!taps) {
    if (kept.size > 64) kept.clear();
    taps = filter === "tensorflow" ? tensorflowTaps(from, to) : pillowTaps(filter, from, to);
    kept.set(key, taps);
  }
  return taps;
}

/**
 * Resizes an image: along the rows first, then along the columns, in float64, each rounded to float32
 * once, as Pillow does.
 *
 * @param height Of the result.
 * @param width Of the result.
 * @returns `[height, width, 3]`, on the scale of the bytes; bicubic values may lie outside of it.
 */
export function resizeFloat(
  image: Image,
  [height, width]: readonly [height: number, width: number],
  filter: Filter,
): Float32Array<ArrayBuffer> {
  const columns = tapsOf(filter, image.width, width), rows = tapsOf(filter, image.height, height);
  const narrow = new Float32Array(image.height * width * 3);
  for (let y = 0, to = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      let red = 0, green = 0, blue = 0;
      let from = (y * image.width + columns.first[x]) * 3;
      const at = x * columns.width, end = at + columns.count[x];
      for (let t = at; t < end; t++, from += 3) {
        const weight = columns.weights[t];
        red += weight * image.rgb[from];
        green += weight * image.rgb[from + 1];
        blue += weight * image.rgb[from + 2];
      }
      narrow[to] = red;
      narrow[to + 1] = green;
      narrow[to + 2] = blue;
    }
  }
  const result = new Float32Array(height * width * 3), stride = width * 3;
  const line = new Float64Array(stride);
  for (let y = 0; y < height; y++) {
    line.fill(0);
    for (let t = 0; t < rows.count[y]; t++) {
      const weight = rows.weights[y * rows.width + t], from = (rows.first[y] + t) * stride;
      for (let x = 0; x < stride; x++) line[x] += weight * narrow[from + x];
    }
    result.set(line, y * stride);
  }
  return result;
}
