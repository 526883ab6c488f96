/**
 * The floor of Frechet distances: what real images get against other real images of the same set. A
 * perfect generator would get as much.
 *
 * @module
 */

/** Of aligned faces, 89 x 109 pixels, by images per side (November 2026; 192: of 64 pixels). */
const FACES: Readonly<Record<string, readonly (readonly [n: number, distance: number])[]>> = {
  "64": [[100, 0.099], [200, 0.0685], [400, 0.0178]],
  "192": [[120, 0.6]],
  "768": [[20, 1.058], [100, 0.603], [200, 0.408], [400, 0.256]],
};

/**
 * The floor of faces at `n` images per side: interpolated, and beyond the table proportional to 1/n.
 *
 * @returns Undefined where nothing was measured: below the table, and for 2048 features.
 */
export function floorOfFaces(feature: string, n: number): number | undefined {
  const table = FACES[feature];
  if (!table || n < table[0][0]) return undefined;
  const at = table.findLastIndex(([size]) => size <= n), [n0, d0] = table[at];
  if (at === table.length - 1) return d0 * n0 / n;
  const [n1, d1] = table[at + 1], t = Math.log(n / n0) / Math.log(n1 / n0);
  return d0 * (d1 / d0) ** t;
}
