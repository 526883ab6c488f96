import { exifOrientation } from "./exif.ts";
import { nameOfKind } from "./kinds.ts";

const MARK_BYTES = 16;

/** What an image file says about itself before its pixels are decoded. */
export interface ImageHeader {
  format: "JPEG" | "PNG" | "WebP" | "PNM";
  /** Width as stored, in pixels. */
  width: number;
  /** Height as stored, in pixels. */
  height: number;
  /** JPEG: 1 gray, 3 color, 4 CMYK. */
  channels: number;
  /** Bits a sample. */
  depth: number;
  /** 1 to 8, from Exif; 1 is upright. */
  orientation: number;
  /** JPEG: whether colors are stored for half of the rows, and all columns. */
  is440?: boolean;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function text(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

/** From the end of a JPEG's scan header to the marker that ends the scan. */
function skipScan(bytes: Uint8Array, at: number): number {
  while (true) {
    at = bytes.indexOf(0xff, at);
    const marker = bytes[at + 1];
    if (at < 0 || marker === undefined) throw new Error("truncated JPEG");
    const isData = marker === 0x00 || (marker >= 0xd0 && marker <= 0xd7);
    if (!isData && marker !== 0xff) return at;
    at += isData ? 2 : 1;
  }
}

/** SOF0 to SOF15; the gaps are DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Of a frame's components: number, columns and rows in 4 bits each, quantisation table. */
function is440(components: Uint8Array): boolean {
  const [y, cb, cr] = [components[1], components[4], components[7]];
  return components.length === 9 && cb === cr && y >> 4 === cb >> 4 && (y & 15) === 2 * (cb & 15);
}

// Progressive JPEG has about ten. Decoders go over the whole image for each, and one may be empty.
const MOST_SCANS = 100;

/** Walks all segments to the end marker, so that a truncated file is noticed: decoders fill it up. */
function jpegHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  const header: ImageHeader = {
    format: "JPEG",
    width: 0,
    height: 0,
    channels: 0,
    depth: 8,
    orientation: 1,
  };
  for (let at = 2, scans = 0; at + 1 < bytes.length;) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === 0xff || marker === 0) at += 1; // fill, as libjpeg passes over
    else if (marker === 0xd9) return header;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else {
      if (at + 4 > bytes.length) break;
      const size = view.getUint16(at + 2), next = at + 2 + size;
      if (size < 2) throw new Error("damaged JPEG");
      if (next > bytes.length) break;
      if (isFrame(marker) && size >= 8 && header.channels === 0) {
        header.depth = bytes[at + 4];
        header.height = view.getUint16(at + 5);
        header.width = view.getUint16(at + 7);
        header.channels = bytes[at + 9];
        header.is440 = is440(bytes.subarray(at + 10, next));
      }
      if (marker === 0xe1 && text(bytes, at + 4, 5) === "Exif\0") {
        header.orientation = exifOrientation(bytes.subarray(at + 4, next));
      }
      if (marker === 0xda && ++scans > MOST_SCANS) {
        throw new Error(`damaged JPEG (more than ${MOST_SCANS} scans)`);
      }
      at = marker === 0xda ? skipScan(bytes, next) : next;
    }
  }
  throw new Error("truncated JPEG");
}

function pngHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  if (bytes.length < 33 || text(bytes, 12, 4) !== "IHDR") throw new Error("truncated PNG");
  let orientation = 1;
  for (let at = 8; at + 12 <= bytes.length;) {
    const size = view.getUint32(at);
    if (text(bytes, at + 4, 4) === "eXIf") {
      orientation = exifOrientation(bytes.subarray(at + 8, at + 8 + size));
    }
    at += 12 + size;
  }
  return {
    format: "PNG",
    width: view.getUint32(16),
    height: view.getUint32(20),
    channels: [1, 0, 3, 3, 2, 0, 4][bytes[25]] ?? 0,
    depth: bytes[24],
    orientation,
  };
}

function webpHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  if (bytes.length < 30 || view.getUint32(4, true) + 8 > bytes.length) {
    throw new Error("truncated WebP");
  }
  const kind = text(bytes, 12, 4);
  const size = { width: 0, height: 0 };
  let orientation = 1;
  if (kind === "VP8 ") {
    size.width = view.getUint16(26, true) & 0x3fff;
    size.height = view.getUint16(28, true) & 0x3fff;
  } else if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    size.width = (bits & 0x3fff) + 1;
    size.height = (bits >>> 14 & 0x3fff) + 1;
  } else if (kind === "VP8X") {
    if (bytes[20] & 2) throw new Error("an animated WebP: expected a still image");
    size.width = (view.getUint32(24, true) & 0xffffff) + 1;
    size.height = (view.getUint32(26, true) >>> 8) + 1;
    for (let at = 30; at + 8 <= bytes.length;) {
      const length = view.getUint32(at + 4, true);
      if (text(bytes, at, 4) === "EXIF") {
        orientation = exifOrientation(bytes.subarray(at + 8, at + 8 + length));
      }
      at += 8 + length + (length & 1);
    }
  } else throw new Error("damaged WebP");
  return { format: "WebP", ...size, channels: 4, depth: 8, orientation };
}

/** A PGM or PPM of 8 bits without comments, as {@linkcode listStack} makes them. */
function pnmHeader(bytes: Uint8Array): ImageHeader {
  const lines = /^P([56])\n(\d{1,6}) (\d{1,6})\n255\n/.exec(text(bytes, 0, 24));
  if (!lines) throw new Error("damaged PNM");
  const [width, height] = [Number(lines[2]), Number(lines[3])], channels = lines[1] === "5" ? 1 : 3;
  if (bytes.length < lines[0].length + width * height * channels) throw new Error("truncated PNM");
  return { format: "PNM", width, height, channels, depth: 8, orientation: 1 };
}

const READERS: Readonly<Record<string, (bytes: Uint8Array) => ImageHeader>> = {
  JPEG: jpegHeader,
  PNG: pngHeader,
  WebP: webpHeader,
  PNM: pnmHeader,
};

/**
 * Reads the header of a JPEG, PNG or WebP.
 *
 * @param bytes The whole file; its kind is told from its first bytes, not from its name.
 * @returns Size, depth and orientation.
 * @throws {Error} If it is another kind of file, truncated or damaged.
 */
export function readHeader(bytes: Uint8Array): ImageHeader {
  // What images begin with is short, and most files are images.
  const kind = nameOfKind(bytes.subarray(0, MARK_BYTES)), reader = kind && READERS[kind];
  if (!reader) {
    const kind = nameOfKind(bytes);
    throw new Error(`${kind ? `it is ${kind}: ` : ""}neither JPEG, PNG nor WebP`);
  }
  const header = reader(bytes);
  if (header.width === 0 || header.height === 0) throw new Error(`damaged ${kind}`);
  return header;
}
