import turboBytes from "@cwasm/jpeg-turbo/jpeg-turbo.wasm" with { type: "bytes" };
import mozjpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import mozjpegBytes from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm" with { type: "bytes" };
import type { ImageHeader } from "./header.ts";
import { type Rgba, WasmDecoder } from "./wasm_decoder.ts";

/** What libjpeg-turbo exports: its TurboJPEG interface. Pointers are into `memory`. */
interface TurboJpeg {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  tjInitDecompress(): number;
  /** 0 unless the header is refused. */
  tjDecompressHeader3(
    ...[decoder, file, size, width, height, sampling, space]: readonly number[]
  ): number;
  tjDecompress2(
    ...[decoder, file, size, pixels, width, pitch, height, format, flags]: readonly number[]
  ): number;
}

const RGBA = 7, CMYK = 11; // numbers of TurboJPEG's pixel formats
const PRESERVE_ORIENTATION = false; // it would turn by Exif, which decode.ts does
const color = new WasmDecoder("JPEG", mozjpeg, mozjpegBytes, PRESERVE_ORIENTATION);
let turboModule: WebAssembly.Module | undefined;

function refuse(): never {
  throw new Error("damaged or unsupported JPEG");
}

/**
 * Samples as libjpeg-turbo decodes them, in RGBA or CMYK. It is a fresh instance for each image, as
 * a refused one may leave it unusable, and such images are rare.
 */
function decodeByTurbo(bytes: Uint8Array, { width, height }: ImageHeader, format: number): Rgba {
  turboModule ??= new WebAssembly.Module(turboBytes);
  const { exports } = new WebAssembly.Instance(turboModule, {
    // It ends by longjmp where a file is refused.
    env: { setjmp: () => 0, longjmp: refuse },
    wasi_snapshot_preview1: {
      environ_sizes_get: () => 0,
      ...{ environ_get: refuse, proc_exit: refuse, fd_close: refuse },
      ...{ fd_seek: refuse, fd_write: refuse },
    },
  });
  const turbo = exports as unknown as TurboJpeg, size = bytes.length;
  const file = turbo.malloc(size), about = turbo.malloc(16), decoder = turbo.tjInitDecompress();
  new Uint8Array(turbo.memory.buffer, file, size).set(bytes);
  const status = turbo.tjDecompressHeader3(
    ...[decoder, file, size, about, about + 4, about + 8, about + 12],
  );
  const found = new Uint32Array(turbo.memory.buffer, about, 2);
  if (status !== 0 || found[0] !== width || found[1] !== height) refuse();
  const pixels = turbo.malloc(4 * width * height);
  if (pixels === 0) refuse();
  // What it returns tells warnings, too, which Pillow passes over.
  turbo.tjDecompress2(decoder, file, size, pixels, width, 4 * width, height, format, 0);
  return { width, height, data: new Uint8Array(turbo.memory.buffer, pixels, 4 * width * height) };
}

/** `a b / 255`, rounded. */
function product(a: number, b: number): number {
  const sum = a * b + 128;
  return ((sum >> 8) + sum) >> 8;
}

/** Samples are light: what the black plate leaves of it times what the color's plate leaves. */
function decodeCmyk(bytes: Uint8Array, header: ImageHeader): Rgba {
  const image = decodeByTurbo(bytes, header, CMYK), { data } = image;
  for (let i = 0; i < data.length; i += 4) {
    for (let c = 0; c < 3; c++) data[i + c] = product(data[i + c], data[i + 3]);
    data[i + 3] = 255;
  }
  return image;
}

/**
 * Decodes a JPEG to Pillow's bytes. mozjpeg refuses CMYK and YCCK, and interpolates 4:4:0 otherwise
 * than libjpeg-turbo, which in turn refuses rare kinds of subsampling.
 *
 * @param bytes The whole file.
 * @param header Its header.
 * @returns The samples.
 * @throws {Error} If the file is damaged or of a kind that is not supported.
 */
export function decodeJpeg(bytes: Uint8Array, header: ImageHeader): Rgba {
  if (header.channels === 4) return decodeCmyk(bytes, header);
  return header.is440 ? decodeByTurbo(bytes, header, RGBA) : color.decode(bytes);
}
