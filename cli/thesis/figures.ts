/**
 * Figures of the report: curves of several runs as SVG, and the first images of a run's grid.
 *
 * @module
 */
import type { Image } from "../../data/image.ts";
import { escape } from "./page.ts";
import { digits, mean } from "./verdict.ts";

/** Runs of one variant in a chart. */
export interface Group {
  readonly label: string;
  /** A curve for each seed. */
  readonly curves: readonly Curve[];
}

/** Points `[x, y]`, in the order of x. */
export type Curve = readonly (readonly [number, number])[];

/** Curves that share their axes. */
export interface Panel {
  readonly title: string;
  readonly groups: readonly Group[];
}

/** Of variants: more are not told apart. */
export const COLOURS = ["#1767a8", "#c2571a", "#0a7d4f", "#8a3fa0"];
const WIDTH = 400, HEIGHT = 220, LEFT = 44, TOP = 44, GAP = 24;
const POINTS = 60; // a curve

/** Panels side by side; a colour a variant, a line a seed. `x` tells what is to the right. */
export function chart(panels: readonly Panel[], x: string): string {
  const labels = panels[0].groups.map(({ label }) => label);
  const width = panels.length * (WIDTH + GAP), height = HEIGHT + TOP + 40;
  const legend = labels.map((label, i) =>
    `<text x="${LEFT + 90 * i}" y="16" fill="${colour(i)}" font-weight="bold">${
      escape(label)
    }</text>`
  );
  const drawn = panels.map((panel, i) =>
    `<g transform="translate(${i * (WIDTH + GAP)} ${TOP})">${drawPanel(panel, x)}</g>`
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...legend,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length];
}

function drawPanel({ title, groups }: Panel, x: string): string {
  const all = groups.flatMap(({ curves }) => curves).flat();
  const right = Math.max(...all.map(([x]) => x)), ys = all.map(([, y]) => y);
  const low = Math.min(0, ...ys), high = Math.max(low + 1e-9, ...ys);
  const atX = (x: number) => LEFT + (WIDTH - LEFT) * x / right;
  const atY = (y: number) => HEIGHT * (1 - (y - low) / (high - low));
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const y = low + share * (high - low), at = atY(y).toFixed(1), tick = share * right;
    return [
      `<line x1="${LEFT}" x2="${WIDTH}" y1="${at}" y2="${at}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${digits(y)}</text>`,
      `<text x="${atX(tick).toFixed(1)}" y="${HEIGHT + 16}" text-anchor="middle">${
        digits(tick)
      }</text>`,
    ];
  });
  const lines = groups.flatMap(({ curves }, i) =>
    curves.map((curve) => {
      const points = thinned(curve).map(([x, y]) => `${atX(x).toFixed(1)},${atY(y).toFixed(1)}`);
      return `<polyline points="${points.join(" ")}" fill="none" stroke="${
        colour(i)
      }" stroke-opacity="0.7"/>`;
    })
  );
  return [
    `<text x="${LEFT}" y="-8">${escape(title)}</text>`,
    ...ticks,
    `<text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT + 32}" text-anchor="middle">${escape(x)}</text>`,
    ...lines,
  ].join("\n");
}

/** Means of so many neighbours that few points are left. */
function thinned(curve: Curve): Curve {
  const size = Math.ceil(curve.length / POINTS);
  return Array.from({ length: Math.ceil(curve.length / size) }, (_, i) => {
    const part = curve.slice(i * size, (i + 1) * size);
    return [mean(part.map(([x]) => x)), mean(part.map(([, y]) => y))] as const;
  });
}

/** The first rows of a grid, about 64 pixels of them, so that the file stays small. */
export function topRows({ width, height, rgb }: Image, resolution: number): Image {
  const rows = Math.min(height, resolution * Math.max(1, Math.floor(64 / resolution)));
  return { width, height: rows, rgb: rgb.slice(0, width * rows * 3) };
}
