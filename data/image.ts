/** An image in memory. */
export interface Image {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Red, green, blue: `[height, width, 3]`. */
  rgb: Uint8Array;
  /** The largest sample of a PNG of 16 bits. */
  peak?: number;
}

/** Samples of an image: gray, color, or color and alpha. */
export interface Samples {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** `[height, width, step]`. */
  data: Uint8Array;
  /** From one pixel to the next. */
  step: 1 | 3 | 4;
  /** The largest sample of a PNG of 16 bits. */
  peak?: number;
}

/** What a pixel can have, and how many bytes that takes. */
export const CHANNELS = { gray: 1, rgb: 3, rgba: 4 } as const;

/** What a pixel has: gray, color, or color and alpha. */
export type Channels = keyof typeof CHANNELS;

/** How many channels images have by options of a run, whose texts were validated. */
export function imageChannels({ channels = "rgb" }: { readonly channels?: string }): 1 | 3 | 4 {
  return CHANNELS[channels as Channels];
}

/**
 * How many channels images have.
 *
 * @param pixels `[count, R, R, C]`.
 * @throws {RangeError} If the pixels are not those of as many images of 1, 3 or 4 channels.
 */
export function channelsOf(pixels: Uint8Array, count: number, R: number): 1 | 3 | 4 {
  const C = pixels.length / (count * R * R);
  if (C === 1 || C === 3 || C === 4) return C;
  throw new RangeError(
    `images: got ${pixels.length} bytes, expected ${count} x ${R} x ${R} x 1, 3 or 4`,
  );
}

/** An image as samples. */
export function samplesOf({ rgb: data, ...about }: Image): Samples {
  return { ...about, data, step: 3 };
}

/** The luma of ITU-R 601-2, with the constants of Pillow's `convert("L")`. */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** What is seen of a sample of an opacity on white. */
export function overWhite(sample: number, alpha: number): number {
  return alpha === 255 ? sample : Math.round((sample * alpha + 255 * (255 - alpha)) / 255);
}

/**
 * Pixels as they are shown and evaluated, in color: gray is repeated, what is transparent is laid on
 * white.
 *
 * @param pixels `[..., C]`.
 * @param C 1, 3 or 4.
 * @returns `[..., 3]`.
 */
export function toRgb(pixels: Uint8Array, C: number): Uint8Array {
  if (C === 3) return pixels;
  const rgb = new Uint8Array(pixels.length / C * 3);
  for (let s = 0, d = 0; d < rgb.length; s += C, d += 3) {
    for (let c = 0; c < 3; c++) {
      rgb[d + c] = C === 1 ? pixels[s] : overWhite(pixels[s + c], pixels[s + 3]);
    }
  }
  return rgb;
}
