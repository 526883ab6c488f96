import type { Rectangle } from "./crop.ts";
import type { Samples } from "./image.ts";

/**
 * Along one axis: a pixel of the source is `to / g` units wide and one of the result `from / g`, so that
 * all that one covers of the other is a whole number.
 */
interface Taps {
  /** The first pixel of the source that each of the result covers. */
  first: Int32Array;
  /** Where its weights end; they begin where those of the one before it end. */
  ends: Int32Array;
  /** Units that are covered, of one pixel after another. */
  weights: Int32Array;
  /** Their sum for one pixel of the result. */
  total: number;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function tapsOf(from: number, to: number): Taps {
  const g = divisor(from, to), unit = to / g, total = from / g;
  const first = new Int32Array(to), ends = new Int32Array(to);
  const weights = new Int32Array(from + to); // two pixels of the result share one at most
  let end = 0;
  for (let i = 0, low = 0; i < to; i++, low += total) {
    first[i] = Math.floor(low / unit);
    for (let at = first[i] * unit; at < low + total; at += unit) {
      weights[end++] = Math.min(low + total, at + unit) - Math.max(low, at);
    }
    ends[i] = end;
  }
  return { first, ends, weights, total };
}

/** Whether sums fit, two of them into one integer along y, and how they are rounded is beyond doubt. */
function fits(x: number, y: number): boolean {
  const isPower = (x * y & (x * y - 1)) === 0, isOdd = x * y % 2 === 1;
  return 255 * y < 2 ** 16 && 255 * x * y < 2 ** 31 && (isOdd || isPower);
}

/**
 * Averages exactly what a pixel of the result covers, in whole numbers; of colors without alpha.
 *
 * @param image The image.
 * @param part The part that is used.
 * @param R Side of the result in pixels.
 * @returns `[R, R, 3]`, rounded; undefined where the sums are too large, or may lie halfway.
 */
export function averaged(
  { width, data, step }: Samples,
  part: Rectangle,
  R: number,
): Uint8Array<ArrayBuffer> | undefined {
  const g = (side: number) => side / divisor(side, R);
  if (!fits(g(part.width), g(part.height))) return undefined;
  const columns = tapsOf(part.width, R), rows = tapsOf(part.height, R);
  const result = new Uint8Array(R * R * 3), scale = 1 / (columns.total * rows.total);
  const outer = new Int32Array(part.width), green = new Int32Array(part.width);
  for (let y = 0, tap = 0; y < R; y++) {
    outer.fill(0);
    green.fill(0);
    for (let row = part.y + rows.first[y]; tap < rows.ends[y]; tap++, row++) {
      const start = (row * width + part.x) * step;
      addRow(data, start, step, rows.weights[tap], outer, green);
    }
    reduceRow(outer, green, columns, scale, result.subarray(y * R * 3, (y + 1) * R * 3));
  }
  return result;
}

/** Adds a row of the source: red to the lower half of `outer` and blue to its upper one. */
function addRow(
  data: Uint8Array,
  start: number,
  step: number,
  weight: number,
  outer: Int32Array,
  green: Int32Array,
): void {
  for (let x = 0, s = start; x < outer.length; x++, s += step) {
    outer[x] += Math.imul(weight, data[s] | data[s + 2] << 16);
    green[x] += Math.imul(weight, data[s + 1]);
  }
}

/** Along x, rounded half up. */
function reduceRow(
  outer: Int32Array,
  green: Int32Array,
  { first, ends, weights }: Taps,
  scale: number,
  result: Uint8Array,
): void {
  for (let x = 0, tap = 0, d = 0; x < first.length; x++, d += 3) {
    let r = 0, g = 0, b = 0;
    for (let i = first[x]; tap < ends[x]; i++, tap++) {
      const weight = weights[tap], both = outer[i];
      r = r + Math.imul(weight, both & 0xffff) | 0;
      g = g + Math.imul(weight, green[i]) | 0;
      b = b + Math.imul(weight, both >>> 16) | 0;
    }
    result[d] = r * scale + 0.5;
    result[d + 1] = g * scale + 0.5;
    result[d + 2] = b * scale + 0.5;
  }
}
