/** What imagescript's JPEG codec, Rust's `jpeg-decoder` in wasm, offers for decoding. */
export interface Codec {
  /** Linear memory; its buffer is replaced when it grows. */
  readonly memory: WebAssembly.Memory;
  /** Takes `size` bytes. */
  walloc(size: number): number;
  /** Decodes, takes `pointer` back, and returns a handle; 0 or 1 when it fails. */
  decode(pointer: number, size: number, width: number, height: number): number;
  /** Bytes of the picture decoded last. */
  wlen(): number;
  /** Where the picture lies. */
  decode_buffer(handle: number): number;
  /** Width in pixels. */
  decode_width(handle: number): number;
  /** Height in pixels. */
  decode_height(handle: number): number;
  /** 0 grey, 1 RGB, 2 CMYK. */
  decode_format(handle: number): number;
  /** Gives the handle and its picture back. */
  decode_free(handle: number): void;
}

/** The instance that is linked into the program. */
export const codec: Codec;
