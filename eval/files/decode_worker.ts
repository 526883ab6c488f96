/**
 * Decodes images on another core: see `decode_pool.ts`.
 *
 * @module
 */
import { decodeAsPillow, type Pillowed } from "./as_pillow.ts";

/** One encoded image. */
export interface Request {
  id: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The image, or why there is none. */
export type Answer = { id: number; image: Pillowed } | { id: number; reason: string };

// Imported for its types, this file runs in no worker and must not listen.
if ("DedicatedWorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { id, bytes } }: MessageEvent<Request>) => {
    try {
      const image = decodeAsPillow(bytes);
      self.postMessage({ id, image } satisfies Answer, [image.rgb.buffer as ArrayBuffer]);
    } catch (error) {
      self.postMessage({ id, reason: (error as Error).message } satisfies Answer);
    }
  };
  self.postMessage("ready");
}
