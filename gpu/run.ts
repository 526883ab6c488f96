/**
 * Runs kernels, by way of textures where buffers are slow to read.
 *
 * @module
 */
import { type Bound, resourceOf } from "./bind.ts";
import { copyToTexture } from "./copy.ts";
import { deviceInfo } from "./device.ts";
import { type Kernel, kernel } from "./kernel.ts";
import { part, release, Storage, type Texture, texture } from "./memory.ts";
import { type Grid, type Params, record } from "./record.ts";

/** Bytes from which it pays: a copy costs some 20 microseconds besides. */
const LEAST = 1 << 16;

let forced: number | undefined;

/** Makes what is of at least `bytes` be read from textures, for tests; undefined ends it. */
export function forceTextures(bytes: number | undefined): void {
  forced = bytes;
}

/**
 * Records one dispatch.
 *
 * A software device without AVX-512 takes some 20 cycles for each number that a lane reads from a buffer,
 * a tenth of that from a storage texture. So what a kernel reads in fours is copied to textures first,
 * also what it updates in place.
 *
 * @param bound A resource for each binding, by its name in the WGSL.
 * @param params A number for each field of `struct Params`.
 * @param constants Values for `override` declarations.
 * @throws {TypeError} If a binding or parameter is missing or unknown, or a resource was taken back.
 */
export function run(
  k: Kernel,
  bound: Bound,
  params: Params,
  grid: Grid,
  constants: Readonly<Record<string, number>> = {},
): void {
  const { slowBuffers, limits } = deviceInfo(), least = forced ?? (slowBuffers ? LEAST : Infinity);
  if (least === Infinity || !readsRightly()) return record(k, bound, params, grid, constants);
  const names = readInFours(k);
  const read = names.map((name) => bound[name] && resourceOf(bound[name]));
  const sources = read.filter((r) => r instanceof Storage && r.live) as Storage[];
  const most = 16 * ROW * ROWS * limits.maxTextureArrayLayers;
  const pays = sources.length === names.length && sources.some(({ size }) => size >= least) &&
    names.length <= limits.maxStorageTexturesPerShaderStage &&
    sources.every(({ size }) => size <= most);
  if (!pays) return record(k, bound, params, grid, constants);
  const copies = new Map<string, Texture>();
  for (const source of sources) {
    if (!copies.has(source.id)) copies.set(source.id, copied(source));
  }
  const textures = names.map((name, i) => [texelsOf(k, name), copies.get(sources[i].id)!]);
  record(
    fromTextures(k),
    { ...bound, ...Object.fromEntries(textures) },
    params,
    grid,
    constants,
  );
  // What is recorded later comes later, so it may use them.
  for (const copy of copies.values()) release(copy);
}

/** Whether textures can be relied on: software devices were found that read them wrongly. */
export function readsRightly(): boolean {
  const { software, fastTextures } = deviceInfo();
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

/** Texels a row, and rows a layer, of the textures that {@linkcode fromTextures} reads. */
const ROW = 1024, ROWS = 16;

const fromTexture = new WeakMap<Kernel, Kernel>();

/** The bindings that a kernel reads in fours. */
function readInFours({ bindings, updates }: Kernel): string[] {
  return bindings.filter(({ name, isVec4, layout }) =>
    isVec4 && (layout.buffer?.type === "read-only-storage" || updates.includes(name))
  ).map(({ name }) => name);
}

/** The name of the texture that a binding is read from: a new one beside a buffer that is written. */
function texelsOf({ updates }: Kernel, name: string): string {
  return updates.includes(name) ? `${name}_was` : name;
}

/** The same kernel, which finds what it reads in fours in textures, row by row and layer by layer. */
export function fromTextures(k: Kernel): Kernel {
  const known = fromTexture.get(k);
  if (known) return known;
  let code = k.code.replace(/\/\/.*$/gm, "");
  let free = 1 + Math.max(...[...code.matchAll(/@binding\((\d+)\)/g)].map(([, n]) => Number(n)));
  for (const name of readInFours(k)) {
    const texels = texelsOf(k, name), type = "texture_storage_2d_array<rgba32float, read>";
    code = called(code, name);
    if (texels === name) {
      const declared = new RegExp(`var<storage, read> ${name}\\s*:[^;]*;`);
      code = code.replace(declared, `var ${name}: ${type};`);
    } else code = `${code}\n@group(0) @binding(${free++}) var ${texels}: ${type};`;
    code = `${code}
fn ${name}_at(i: u32) -> vec4f {
  return textureLoad(${texels}, vec2u(i % ${ROW}u, i / ${ROW}u % ${ROWS}u), i / ${ROW * ROWS}u);
}`;
  }
  const made = kernel(k.label.replace(/\/.*/, " of textures"), code, k.entryPoint);
  fromTexture.set(k, made);
  return made;
}

/** `code` with `name[...]` as `name_at(...)`, but where it is assigned to. */
function called(code: string, name: string): string {
  const use = new RegExp(`(?<![.\\w])${name}\\[`, "g");
  for (let match = use.exec(code); match; match = use.exec(code)) {
    const begin = match.index + match[0].length;
    let end = begin;
    for (let depth = 1; depth > 0; end++) depth += { "[": 1, "]": -1 }[code[end]] ?? 0;
    if (/^\s*=[^=]/.test(code.slice(end))) continue;
    code = `${code.slice(0, match.index)}${name}_at(${code.slice(begin, end - 1)})${
      code.slice(end)
    }`;
  }
  return code;
}
