/**
 * Uploads and copies, in order with the dispatches.
 *
 * @module
 */
import { gpu } from "./gpu.ts";
import type { Storage, Texture } from "./memory.ts";
import { betweenPasses, doing, flush, type Live, now } from "./record.ts";

/** Copies bytes to the device. */
export function write(to: Storage, bytes: Live<ArrayBufferView<ArrayBuffer>>): void {
  doing(["write"], [to], () => {
    // `writeBuffer` takes effect before commands recorded and not yet submitted, and recycled
    // storage may still be read by those: submit them first.
    flush();
    gpu().throwFailure();
    to.version++;
    gpu().device.queue.writeBuffer(to.buffer, to.offset, now(bytes));
  });
}

/** Copies `bytes` from one storage to another, in order with the dispatches. */
export function copy(from: Storage, to: Storage, bytes: number): void {
  doing(["copy", from.offset, to.offset, bytes], [from, to], () => {
    to.version++;
    betweenPasses().copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
  });
}

/** Sets all bytes to 0, in order with the dispatches. */
export function clear(to: Storage): void {
  doing(["clear"], [to], () => {
    to.version++;
    betweenPasses().clearBuffer(to.buffer, to.offset, to.size);
  });
}

/** Rows of bytes copied into a texture start at multiples of this. */
export const ROW_ALIGNMENT = 256;

/**
 * Copies texels into a texture, in order with the dispatches.
 *
 * @param stride Texels from row to row and rows from layer to layer of `from`; a row is a multiple of
 * {@linkcode ROW_ALIGNMENT} bytes.
 * @param origin Where the first texel goes.
 * @param size Texels, rows and layers to copy.
 */
export function copyToTexture(
  from: Storage,
  to: Texture,
  stride: { readonly texels: number; readonly rows: number },
  origin: { readonly x: number; readonly y: number; readonly z?: number },
  size: { readonly width: number; readonly height: number; readonly depthOrArrayLayers: number },
): void {
  doing(["copyToTexture"], [from, to], () => {
    betweenPasses().copyBufferToTexture(
      {
        buffer: from.buffer,
        offset: from.offset,
        bytesPerRow: 16 * stride.texels,
        rowsPerImage: stride.rows,
      },
      { texture: to.texture, origin },
      size,
    );
  });
}

/** Copies bytes to a buffer that the host can map, and submits. */
export function copyOut(from: Storage, to: GPUBuffer, bytes: number): void {
  betweenPasses().copyBufferToBuffer(from.buffer, from.offset, to, 0, bytes);
  flush();
}
