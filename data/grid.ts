import { channelsOf, type Samples } from "./image.ts";

/**
 * Lays images out row by row, edge to edge, in one image; cells that are left over are white, or
 * transparent where images have alpha.
 *
 * @param pixels `[count, R, R, C]` of 1, 3 or 4 channels.
 * @param count Number of images.
 * @param R Side of each in pixels.
 * @param columns Images in a row; by default as near to a square as it goes.
 * @returns The sheet.
 * @throws {RangeError} If the pixels are not as many as count and R say, or columns is below 1.
 */
export function grid(
  pixels: Uint8Array,
  count: number,
  R: number,
  columns: number = Math.ceil(Math.sqrt(count)),
): Samples {
  if (!Number.isInteger(columns) || columns < 1) {
    throw new RangeError(`grid: got ${columns} columns, expected a whole number from 1`);
  }
  const C = channelsOf(pixels, count, R);
  const width = columns * R;
  const height = Math.ceil(count / columns) * R;
  const data = new Uint8Array(width * height * C).fill(C === 4 ? 0 : 255);
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * R;
    const top = Math.floor(i / columns) * R;
    for (let y = 0; y < R; y++) {
      const from = (i * R + y) * R * C;
      data.set(pixels.subarray(from, from + R * C), ((top + y) * width + left) * C);
    }
  }
  return { width, height, data, step: C };
}
