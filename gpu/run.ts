/**
 * Runs kernels, which read textures instead of buffers where that is faster.
 *
 * @module
 */
import wgsl from "./run.wgsl" with { type: "text" };
import { type Bound, resourceOf } from "./bind.ts";
import { copyToTexture } from "./copy.ts";
import { gpu } from "./gpu.ts";
import { type Kernel, kernel } from "./kernel.ts";
import { part, release, Storage, type Texture, texture } from "./memory.ts";
import { type Grid, type Params, record } from "./record.ts";
import { expand, type File, type Values } from "./wgsl.ts";

/** Bytes from which a copy, which takes some 20 microseconds, pays. */
const LEAST = 1 << 16;

/** Two variants of a kernel, which read arrays of vec4f from buffers or from textures. */
export interface Twins {
  /** Reads buffers only. */
  readonly buffers: Kernel;
  /**
   * Reads textures in place of such buffers; for a buffer `x` that is updated in place, a texture `x_was`
   * of its old contents. So a lane may read only the elements that it writes.
   */
  readonly textures: Kernel;
}

/** What can be run. */
export type Runnable = Kernel | Twins;

/**
 * Declares an entry point of a file twice: with `TEXTURES` true, `#include texels` tells where in a texture
 * an element lies.
 */
export function twins(
  name: string,
  file: File,
  entryPoint: string,
  values: Values = {},
  parts: Readonly<Record<string, File>> = {},
): Twins {
  const known = { ...parts, texels: { name: "run.wgsl", text: wgsl } };
  const of = (label: string, TEXTURES: boolean) =>
    kernel(label, expand(file, { ...values, TEXTURES, ROW, ROWS }, known), entryPoint);
  return { buffers: of(name, false), textures: of(`${name} of textures`, true) };
}

/**
 * Records one dispatch.
 *
 * A software device without AVX-512 takes some 20 cycles for each number that a lane reads from a buffer,
 * a tenth of that from a storage texture. So what twins read by vec4 is copied to textures first there,
 * also what they update in place.
 *
 * @param bound A resource for each binding, by its name in the WGSL.
 * @param params A number for each field of `struct Params`.
 * @param constants Values for `override` declarations.
 * @throws {TypeError} If a binding or parameter is missing or unknown, or a resource was taken back.
 */
export function run(
  k: Runnable,
  bound: Bound,
  params: Params,
  grid: Grid,
  constants: Readonly<Record<string, number>> = {},
): void {
  if (!("textures" in k)) return record(k, bound, params, grid, constants);
  const { texturesFrom, info: { slowBuffers, limits } } = gpu();
  const least = texturesFrom ?? (slowBuffers ? LEAST : Infinity);
  const names = k.textures.bindings.filter(({ layout }) => layout.storageTexture)
    .map(({ name }) => name);
  const read = names.map((name) => bound[name.replace(/_was$/, "")]);
  const sources = read.map((given) => given && resourceOf(given))
    .filter((r) => r instanceof Storage && r.live) as Storage[];
  const most = 16 * ROW * ROWS * limits.maxTextureArrayLayers;
  const pays = least < Infinity && readsRightly() && sources.length === names.length &&
    sources.some(({ size }) => size >= least) && sources.every(({ size }) => size <= most) &&
    names.length <= limits.maxStorageTexturesPerShaderStage;
  if (!pays) return record(k.buffers, bound, params, grid, constants);
  const copies = new Map<string, Texture>();
  for (const source of sources) {
    if (!copies.has(source.id)) copies.set(source.id, copied(source));
  }
  const textures = names.map((name, i) => [name, copies.get(sources[i].id)!]);
  const all = { ...bound, ...Object.fromEntries(textures) };
  record(k.textures, all, params, grid, constants);
  // Later commands may reuse them, as they run later.
  for (const copy of copies.values()) release(copy);
}

/** Whether textures are read correctly: some software devices do not. */
export function readsRightly(): boolean {
  const { software, fastTextures } = gpu().info;
  return !software || fastTextures;
}

/** A texture with the contents of `source`: whole layers, then whole rows, then what is left. */
function copied(source: Storage): Texture {
  const texels = source.size / 16, layers = Math.floor(texels / ROW / ROWS);
  const rows = Math.floor(texels / ROW) % ROWS, rest = texels % ROW;
  const to = texture(ROW, ROWS, Math.ceil(texels / ROW / ROWS), "run");
  let begin = 0;
  for (
    const [y, z, width, height, depthOrArrayLayers] of [
      [0, 0, ROW, ROWS, layers],
      [0, layers, ROW, rows, 1],
      [rows, layers, rest, 1, 1],
    ]
  ) {
    const count = width * height * depthOrArrayLayers;
    if (count === 0) continue;
    copyToTexture(
      part(source, 16 * begin, 16 * count),
      to,
      { texels: ROW, rows: ROWS },
      { x: 0, y, z },
      { width, height, depthOrArrayLayers },
    );
    begin += count;
  }
  return to;
}

/** Texels a row, and rows a layer, of the textures that twins read. */
const ROW = 1024, ROWS = 16;
