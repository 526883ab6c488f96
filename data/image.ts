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

/** Samples of an image as they were decoded. */
export interface Samples {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Red, green and blue of each pixel, and what is not looked at: `[height, width, step]`. */
  data: Uint8Array;
  /** From one pixel to the next. */
  step: 3 | 4;
  /** The largest sample of a PNG of 16 bits. */
  peak?: number;
}
