import type { Dataset } from "./pack.ts";
import type { Resize } from "./resample.ts";

/**
 * A data set of smaller images made from one in memory, for networks that have not grown yet.
 *
 * @param dataset The data set; its pixels are not changed.
 * @param R Side of the result in pixels; it divides the side of the images.
 * @param resize `nearest` takes the pixel right and below each centre; all others average the square
 * that a pixel of the result covers, rounded half up.
 * @returns The data set itself if it has that size.
 * @throws {RangeError} If R does not divide the side.
 */
export function shrink(dataset: Dataset, R: number, resize: Resize = "area"): Dataset {
  const { resolution: S, count, pixels } = dataset, f = S / R;
  if (f === 1) return dataset;
  if (!Number.isInteger(f)) {
    throw new RangeError(`shrink: ${R} pixels do not divide ${S}`);
  }
  const small = new Uint8Array(count * R * R * 3);
  const [first, side] = resize === "nearest" ? [f >> 1, 1] : [0, f], area = side * side;
  for (let row = 0, to = 0; row < count * R; row++) {
    for (let x = 0; x < R; x++, to += 3) {
      let red = 0, green = 0, blue = 0;
      for (let i = 0; i < side; i++) {
        let at = ((row * f + first + i) * S + x * f + first) * 3;
        for (let j = 0; j < side; j++, at += 3) {
          red += pixels[at];
          green += pixels[at + 1];
          blue += pixels[at + 2];
        }
      }
      small[to] = Math.floor(red / area + 0.5);
      small[to + 1] = Math.floor(green / area + 0.5);
      small[to + 2] = Math.floor(blue / area + 0.5);
    }
  }
  return { ...dataset, resolution: R, pixels: small };
}
