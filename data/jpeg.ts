import { DataError } from "./errors.ts";
import { type Codec, codec as linked } from "./jpeg_wasm.js";

/**
 * A JPEG as it is stored.
 */
export interface Jpeg {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** 1 grey, 3 RGB, 4 CMYK where 255 is full ink. */
  channels: 1 | 3 | 4;
  /** `[height, width, channels]`. */
  samples: Uint8Array;
}

// The decoder is Rust: on some damaged files it panics, and a panic in wasm does not unwind. Each one
// leaves about 11 KB of its 1 MB stack behind, so that after 95 it could decode nothing any more.
const MOST_PANICS = 64;

let codec = linked;
let panics = 0;

/** A new decoder, or none in a bundled program, which has the one linked into it and no file. */
function freshCodec(): Codec | undefined {
  try {
    const file = new URL(import.meta.resolve("imagescript/wasm/any/jpeg.wasm"));
    const module = new WebAssembly.Module(Deno.readFileSync(file));
    return new WebAssembly.Instance(module).exports as unknown as Codec;
  } catch {
    return undefined;
  }
}

function recover(): void {
  const fresh = freshCodec();
  if (fresh) {
    codec = fresh;
    panics = 0;
  } else {
    panics += 1;
  }
}

/**
 * Decodes baseline and progressive JPEG as libjpeg does, with smooth chroma, to within rounding.
 *
 * @param bytes The whole file.
 * @returns The stored samples.
 * @throws {Error} If the file is truncated, damaged, or of a kind that is not supported.
 */
export function decodeJpeg(bytes: Uint8Array): Jpeg {
  if (panics >= MOST_PANICS) {
    throw new DataError(
      `${MOST_PANICS} JPEG files are damaged so badly that the decoder gave up; ` +
        "check the copy of the data, or take the damaged files out",
    );
  }
  let handle: number;
  try {
    const pointer = codec.walloc(bytes.length);
    new Uint8Array(codec.memory.buffer, pointer, bytes.length).set(bytes);
    handle = codec.decode(pointer, bytes.length, 0, 0);
  } catch {
    recover();
    throw new Error("damaged JPEG");
  }
  if (handle < 2) throw new Error("damaged, truncated or unsupported JPEG");
  try {
    const channels = ([1, 3, 4] as const)[codec.decode_format(handle)];
    const width = codec.decode_width(handle);
    const height = codec.decode_height(handle);
    const at = codec.decode_buffer(handle);
    const samples = new Uint8Array(codec.memory.buffer, at, codec.wlen()).slice();
    if (!channels || samples.length !== width * height * channels) {
      throw new Error("JPEG of a kind that is not supported (16 bits)");
    }
    return { width, height, channels, samples };
  } finally {
    codec.decode_free(handle);
  }
}
