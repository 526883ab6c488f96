/** Samples of an image as stored, row by row. */
export interface Rgba {
  width: number;
  height: number;
  /** Red, green, blue, alpha: `[height, width, 4]`. */
  data: Uint8Array | Uint8ClampedArray;
}

/** What Emscripten makes of one of Squoosh's decoders. */
interface Codec {
  decode(bytes: Uint8Array, ...flags: boolean[]): Rgba | null;
}

const LARGE = 2 ** 26; // bytes

/**
 * One of Squoosh's decoders. Its WebAssembly is compiled when the first image needs it, as most runs
 * read a pack, and is a fresh instance after each failure, which may leave one in no state to go on.
 */
export class WasmDecoder {
  #format: string;
  #factory: (options: object) => Promise<unknown>;
  #bytes: Uint8Array<ArrayBuffer>;
  #flags: boolean[];
  #module?: WebAssembly.Module;
  #codec: Codec | undefined;

  /** Emscripten's `factory`, the WebAssembly that belongs to it, and what `decode` takes besides. */
  constructor(
    format: string,
    factory: (options: object) => Promise<unknown>,
    bytes: Uint8Array<ArrayBuffer>,
    ...flags: boolean[]
  ) {
    this.#format = format;
    this.#factory = factory;
    this.#bytes = bytes;
    this.#flags = flags;
  }

  #open(): Codec {
    const module = this.#module ??= new WebAssembly.Module(this.#bytes);
    const codec = {
      noInitialRun: true,
      printErr() {}, // warnings about damaged data
      instantiateWasm(
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance) => void,
      ) {
        const instance = new WebAssembly.Instance(module, imports);
        done(instance);
        return instance.exports;
      },
    };
    // It adds its functions to what it is given, at once as instances are made here at once; the
    // promise that it returns only says so.
    this.#factory(codec);
    return codec as unknown as Codec;
  }

  /**
   * Decodes an image.
   *
   * @param bytes The whole file.
   * @returns Its samples, not turned by Exif.
   * @throws {Error} If it is damaged or of a kind that is not supported.
   */
  decode(bytes: Uint8Array): Rgba {
    const codec = this.#codec ??= this.#open();
    let cause: unknown;
    try {
      const image = codec.decode(bytes, ...this.#flags);
      // Its memory grows with the largest image and never shrinks.
      if (image && image.data.length > LARGE) this.#codec = undefined;
      if (image) return image;
    } catch (error) {
      cause = error;
    }
    this.#codec = undefined;
    throw new Error(`damaged or unsupported ${this.#format}`, { cause });
  }
}
