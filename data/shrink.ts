import { channelsOf } from "./image.ts";
import type { Dataset } from "./pack.ts";
import { type Resize, timesAlpha, unpremultiply } from "./resample.ts";

/**
 * A data set of smaller images made from one in memory, for networks that have not grown yet.
 *
 * @param dataset The data set; its pixels are not changed.
 * @param R Side of the result in pixels; it divides the side of the images.
 * @param resize `nearest` takes the pixel right and below each centre; all others average the square
 * that a pixel of the result covers, rounded half up; colors count as much as they are opaque.
 * @returns The data set itself if it has that size.
 * @throws {RangeError} If R does not divide the side.
 */
export function shrink(dataset: Dataset, R: number, resize: Resize = "area"): Dataset {
  const { resolution: S, count, pixels } = dataset, f = S / R;
  if (f === 1) return dataset;
  if (!Number.isInteger(f)) {
    throw new RangeError(`shrink: ${R} pixels do not divide ${S}`);
  }
  const C = channelsOf(pixels, count, S), small = new Uint8Array(count * R * R * C);
  const [first, side] = resize === "nearest" ? [f >> 1, 1] : [0, f], area = side * side;
  const averages = C === 4 && side > 1;
  for (let row = 0, to = 0; row < count * R; row++) {
    for (let x = 0; x < R; x++, to += C) {
      const corner = ((row * f + first) * S + x * f + first) * C;
      for (let c = 0; c < C; c++) {
        let sum = 0;
        for (let i = 0; i < side; i++) {
          let at = corner + i * S * C;
          for (let j = 0; j < side; j++, at += C) {
            sum += averages && c < 3 ? timesAlpha(pixels[at + c], pixels[at + 3]) : pixels[at + c];
          }
        }
        small[to + c] = Math.floor(sum / area + 0.5);
      }
    }
  }
  if (averages) unpremultiply(small, true);
  return { ...dataset, resolution: R, pixels: small };
}
