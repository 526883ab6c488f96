/**
 * Shows a run's images in the terminal.
 *
 * @module
 */
import { grid } from "../data/grid.ts";
import { channelsOf, toRgb } from "../data/image.ts";
import { resample } from "../data/resample.ts";
import type { Graphics } from "./terminal.ts";
import { type Drawing, halfBlocks, kitty, sixels } from "./terminal_image.ts";

/** How images are arranged: how many, with which side, and how many in a row. */
export interface Arrangement {
  readonly side: number;
  readonly across: number;
  readonly count: number;
}

/** Images that are worth smaller ones, in blocks and in pixels. */
const LEAST = { blocks: 6, sixel: 16, kitty: 16 };
/** Lines of a terminal that stay free, and lines that images take at most. */
const FREE = 4, MOST_ROWS = 30;

/**
 * As large as `least` of `n` images of side `R` are in so many pixels: R halved, or up to four times as large.
 *
 * @returns Undefined where not even one fits.
 */
export function arranged(
  n: number,
  R: number,
  { width, height, least }: { width: number; height: number; least: number },
): Arrangement | undefined {
  const sides = [4, 2, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32].map((times) => R * times)
    .filter((side) => side >= 8 && (least > LEAST.blocks || side <= R));
  const all = sides.map((side) => {
    // Some terminals have no columns, or no rows.
    const across = Math.max(0, Math.min(Math.floor(width / side), n));
    const rows = Math.max(0, Math.min(Math.floor(height / side), Math.floor(n / across))); // whole ones
    const count = across * rows || 0;
    return { side, across, count };
  });
  return all.find(({ count }) => count >= Math.min(n, least)) ??
    all.findLast(({ count }) => count > 0);
}

/** Draws the first of `n` images `[n, R, R, C]` that a terminal of that size has room for, on white. */
export function drawn(
  pixels: Uint8Array,
  n: number,
  R: number,
  { kind, cell }: Graphics,
  size: { readonly columns: number; readonly rows: number },
): Drawing | undefined {
  const width = (size.columns - 1) * cell.width;
  const height = Math.min(MOST_ROWS, size.rows - FREE) * cell.height;
  const how = arranged(n, R, { width, height, least: LEAST[kind] });
  if (!how) return undefined;
  const { side, across, count } = how, shown = new Uint8Array(count * side * side * 3);
  const whole = { x: 0, y: 0, width: R, height: R }, all = toRgb(pixels, channelsOf(pixels, n, R));
  for (let i = 0; i < count; i++) {
    const rgb = all.subarray(i * R * R * 3, (i + 1) * R * R * 3);
    const small = resample({ width: R, height: R, rgb }, whole, side);
    shown.set(small, i * small.length);
  }
  const { width: W, height: H, data: rgb } = grid(shown, count, side, across);
  const image = { width: W, height: H, rgb };
  if (kind === "kitty") return kitty(image, cell.height);
  return kind === "sixel" ? sixels(image, cell.height) : halfBlocks(image);
}
