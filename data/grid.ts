import type { Image } from "./image.ts";

/**
 * Lays images out row by row, edge to edge, in one image; cells that are left over are white.
 *
 * @param pixels `[count, R, R, 3]`.
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
): Image {
  if (count < 1 || pixels.length !== count * R * R * 3) {
    throw new RangeError(
      `grid: got ${pixels.length} bytes, expected ${count * R * R * 3} for ${count} images of ` +
        `${R} x ${R}`,
    );
  }
  if (!Number.isInteger(columns) || columns < 1) {
    throw new RangeError(`grid: got ${columns} columns, expected a whole number from 1`);
  }
  const width = columns * R;
  const height = Math.ceil(count / columns) * R;
  const rgb = new Uint8Array(width * height * 3).fill(255);
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * R;
    const top = Math.floor(i / columns) * R;
    for (let y = 0; y < R; y++) {
      const from = (i * R + y) * R * 3;
      rgb.set(pixels.subarray(from, from + R * 3), ((top + y) * width + left) * 3);
    }
  }
  return { width, height, rgb };
}
