/**
 * Images as text that terminals show as images.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Image } from "../data/image.ts";
import { encodePng } from "../data/png.ts";

/** Text that draws an image from the cursor on, and leaves it at the start of the line below. */
export interface Drawing {
  readonly text: string;
  /** Lines that the image takes. */
  readonly rows: number;
}

const ESC = "\x1b";

/** Two pixels a character, one above the other, in 24-bit colour. Of an odd last row the lower half is bare. */
export function halfBlocks({ width, height, rgb }: Image): Drawing {
  const colour = (x: number, y: number) =>
    [...rgb.subarray(3 * (y * width + x)).subarray(0, 3)].join(";");
  const rows = Math.ceil(height / 2);
  let text = "";
  for (let row = 0; row < rows; row++) {
    let last = "";
    for (let x = 0; x < width; x++) {
      const upper = colour(x, 2 * row);
      const lower = 2 * row + 1 < height ? `48;2;${colour(x, 2 * row + 1)}` : "49";
      const style = `${ESC}[38;2;${upper};${lower}m`;
      text += `${style === last ? "" : style}▀`;
      last = style;
    }
    text += `${ESC}[0m\n`;
  }
  return { text, rows };
}

/** Levels of red, green and blue: 252 colours, of the 256 that sixel terminals have. */
const LEVELS = [6, 7, 6] as const;
/** Thresholds of ordered dithering, by Bayer. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];

/** Which of the colours each pixel is. */
function dithered({ width, height, rgb }: Image): Uint8Array {
  const found = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const threshold = (BAYER[4 * (y % 4) + x % 4] + 0.5) / 16;
      let index = 0;
      for (const [c, levels] of LEVELS.entries()) {
        index = index * levels + Math.floor(rgb[3 * i + c] / 255 * (levels - 1) + threshold);
      }
      found[i] = index;
    }
  }
  return found;
}

/** The palette, in percent as sixel has it. */
function palette(): string {
  const [R, G, B] = LEVELS,
    percent = (i: number, levels: number) => Math.round(100 * i / (levels - 1));
  let text = "";
  for (let i = 0; i < R * G * B; i++) {
    const [r, g, b] = [Math.floor(i / (G * B)), Math.floor(i / B) % G, i % B];
    text += `#${i};2;${percent(r, R)};${percent(g, G)};${percent(b, B)}`;
  }
  return text;
}

/**
 * Sixel graphics.
 *
 * @param cell Pixels a line of the terminal is high.
 */
export function sixels(image: Image, cell: number): Drawing {
  const { width, height } = image, colours = dithered(image);
  let text = `${ESC}P0;1q"1;1;${width};${height}${palette()}`;
  for (let top = 0; top < height; top += 6) {
    const band = colours.subarray(top * width, Math.min(height, top + 6) * width);
    text += [...new Set(band)].map((colour) => `#${colour}${line(band, width, colour)}`).join("$") +
      "-";
  }
  return { text: `${text}${ESC}\\\n`, rows: Math.ceil(height / cell) };
}

/** Where a band of up to six rows has a colour; repeats are counted. */
function line(band: Uint8Array, width: number, colour: number): string {
  let text = "", last = "", count = 0;
  const put = () => text += count > 3 ? `!${count}${last}` : last.repeat(count);
  for (let x = 0; x < width; x++) {
    let bits = 0;
    for (let y = 0; y * width < band.length; y++) {
      bits |= Number(band[y * width + x] === colour) << y;
    }
    const sixel = String.fromCharCode(63 + bits);
    if (sixel !== last) {
      put();
      [last, count] = [sixel, 0];
    }
    count++;
  }
  put();
  return text;
}

/** Bytes of base64 in one command of kitty's protocol. */
const CHUNK = 4096;

/**
 * Kitty's graphics protocol; one image, which each call replaces.
 *
 * @param cell Pixels a line of the terminal is high.
 * @see https://sw.kovidgoyal.net/kitty/graphics-protocol/
 */
export function kitty(image: Image, cell: number): Drawing {
  const rows = Math.ceil(image.height / cell),
    data = Buffer.from(encodePng(image)).toString("base64");
  let text = "";
  for (let at = 0; at < data.length; at += CHUNK) {
    const more = Number(at + CHUNK < data.length);
    const keys = at === 0 ? `a=T,f=100,i=1,p=1,q=2,C=1,r=${rows},m=${more}` : `q=2,m=${more}`;
    text += `${ESC}_G${keys};${data.slice(at, at + CHUNK)}${ESC}\\`;
  }
  // Room first: at the end of the screen all would move up under the image.
  return { text: `${"\n".repeat(rows)}${ESC}[${rows}A${text}${ESC}[${rows}B\r`, rows };
}
