import mozjpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import mozjpegBytes from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm" with { type: "bytes" };
import cmykBytes from "imagescript/wasm/any/jpeg.wasm" with { type: "bytes" };
import type { ImageHeader } from "./header.ts";
import { type Rgba, WasmDecoder } from "./wasm_decoder.ts";

/** What imagescript's JPEG decoder, Rust's `jpeg-decoder` in WebAssembly, exports. */
interface CmykDecoder {
  readonly memory: WebAssembly.Memory;
  walloc(size: number): number;
  /** Takes `pointer` back and returns a handle; 0 or 1 if it fails. */
  decode(pointer: number, size: number, width: number, height: number): number;
  decode_buffer(handle: number): number;
  /** 0 gray, 1 RGB, 2 CMYK. */
  decode_format(handle: number): number;
}

const PRESERVE_ORIENTATION = false; // it would turn by Exif, which decode.ts does
const color = new WasmDecoder("JPEG", mozjpeg, mozjpegBytes, PRESERVE_ORIENTATION);
let cmykModule: WebAssembly.Module | undefined;

/** A fresh instance for each image: a panic in the decoder would leave it unusable, and CMYK is rare. */
function decodeCmyk(bytes: Uint8Array, { width, height }: ImageHeader): Rgba {
  cmykModule ??= new WebAssembly.Module(cmykBytes);
  const codec = new WebAssembly.Instance(cmykModule).exports as unknown as CmykDecoder;
  let ink: Uint8Array;
  try {
    const pointer = codec.walloc(bytes.length);
    new Uint8Array(codec.memory.buffer, pointer, bytes.length).set(bytes);
    const handle = codec.decode(pointer, bytes.length, 0, 0);
    if (handle < 2 || codec.decode_format(handle) !== 2) throw new Error("refused");
    ink = new Uint8Array(codec.memory.buffer, codec.decode_buffer(handle), width * height * 4);
  } catch (error) {
    throw new Error("damaged or unsupported CMYK JPEG", { cause: error });
  }
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < data.length; i += 4) {
    // Light left by the black plate times light left by the color's plate.
    const light = 255 - ink[i + 3];
    for (let c = 0; c < 3; c++) data[i + c] = Math.round((255 - ink[i + c]) * light / 255);
  }
  return { width, height, data };
}

/**
 * Decodes a JPEG: gray and color to the bytes that libjpeg-turbo gives, CMYK and YCCK to within 1.
 *
 * @param bytes The whole file.
 * @param header Its header.
 * @returns The samples.
 * @throws {Error} If the file is damaged or of a kind that is not supported.
 */
export function decodeJpeg(bytes: Uint8Array, header: ImageHeader): Rgba {
  return header.channels === 4 ? decodeCmyk(bytes, header) : color.decode(bytes);
}
