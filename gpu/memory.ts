/**
 * Device memory: buffers and textures, taken by scope and given back to a pool.
 *
 * A step takes and returns the same sizes in the same order each time. So soon the pool serves
 * everything; and since it always gives its oldest resource of those that fit best, the same ones meet
 * in the same dispatches each time, which lets bind groups be kept. Large ones serve for half their
 * size, too: a step of D works on real and fake pictures at once, one of G on half as many.
 *
 * @module
 */
import { creating, deviceInfo, gpu } from "./device.ts";
import { GpuError } from "./errors.ts";
import { Pool } from "./pool.ts";

/** A range of a buffer on the device. Sizes are multiples of 16 bytes, so that vec4 fits. */
export class Storage {
  /** False once its scope has taken it back. */
  live = true;
  /** Who takes it back, if anyone. */
  owner: Set<Resource> | undefined;
  /** Grows whenever the contents may change, so that what was derived from them can be kept. */
  version = 0;
  /** A range of `size` bytes from byte `offset` of `buffer`. */
  constructor(
    readonly buffer: GPUBuffer,
    /** Names the range in cached bind groups. */
    readonly id: string,
    readonly offset: number,
    readonly size: number,
    /** Place in the order in which resources were made. */
    readonly age = 0,
    /** Of which it is a part, if it is. */
    readonly whole?: Storage,
  ) {}
}

/** A texture array of four numbers a texel, read and written by shaders. */
export class Texture {
  /** False once its scope has taken it back. */
  live = true;
  /** Who takes it back, if anyone. */
  owner: Set<Resource> | undefined;
  /** Of its `kind` a free one is found again that has enough layers. */
  constructor(
    readonly texture: GPUTexture,
    readonly view: GPUTextureView,
    readonly id: string,
    readonly kind: string,
    readonly age: number,
  ) {}
}

/** What a binding of a shader can be given. */
export type Resource = Storage | Texture;

/** What is taken back together. */
type Scope = Set<Resource>;

/** Offsets inside one buffer are multiples of this many bytes. */
export const ALIGNMENT = 256;

/** Bytes a texel of the formats that textures have. */
const TEXEL = { rgba32float: 16, rgba16float: 8 } as const;

/** What has been made on the device so far; it stands still once a training step repeats. */
export const counters = {
  buffers: 0,
  textures: 0,
  /** Of buffers and textures, in use or pooled. */
  bytes: 0,
  pipelines: 0,
  bindGroups: 0,
  dispatches: 0,
  /** Parts that were bound of tensors that are too large to be bound whole. */
  portions: 0,
  /** Floating-point operations of matrix products and convolutions, 2 a multiplication. */
  flop: 0,
};

/** Bytes from which a buffer that is larger than asked for, up to twice, may serve. */
const LARGE = 1 << 16;

/** Buffers by their bytes, textures by their layers. */
const free = new Pool<Resource>();
let scope: Scope | undefined, outermost: Scope | undefined;
let lastId = 0;

function taken<T extends Resource>(resource: T): T {
  own(resource, scope);
  return resource;
}

function own(resource: Resource, by: Scope | undefined): void {
  resource.owner?.delete(resource);
  resource.owner = by;
  by?.add(resource);
}

let limited: number | undefined;

/** Makes shaders be given no more than `bytes` at once, for tests; undefined ends it. */
export function limitBindings(bytes: number | undefined): void {
  limited = bytes;
}

/** How many bytes a shader of this device can be given at once. */
export function bindable(): number {
  return limited ?? deviceInfo().limits.maxStorageBufferBindingSize;
}

/** Says that a shader was to be given too much at once. */
export function assertBindable(bytes: number): void {
  if (bytes > bindable()) throw tooLarge(bytes, "bind", bindable());
}

function tooLarge(bytes: number, verb: string, most: number): GpuError {
  return new GpuError(
    `A tensor of ${megabytes(bytes)} is more than ${deviceInfo().name} can ${verb} ` +
      `(${megabytes(most)}): try a smaller --batch or --resolution, or a narrower net`,
  );
}

/**
 * Takes a buffer of at least `bytes` with undefined contents, owned by the innermost scope.
 *
 * @throws {GpuError} If the device has no buffers of that size.
 */
export function storage(bytes: number): Storage {
  const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const { maxBufferSize: most } = deviceInfo().limits;
  if (size > most) throw tooLarge(size, "hold", most);
  // A new wrapper each time: whoever still holds the old one is told so instead of reading garbage.
  const pooled = free.take("buffer", size, size < LARGE ? size : 2 * size) as Storage | undefined;
  if (pooled) {
    const { buffer, age } = pooled, id = buffer.size === size ? `b${age}` : `b${age}:${size}`;
    return taken(new Storage(buffer, id, 0, size, age));
  }
  const buffer = creating(`a buffer of ${megabytes(size)}`, () =>
    gpu().createBuffer({
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }));
  counters.buffers++;
  counters.bytes += size;
  return taken(new Storage(buffer, `b${++lastId}`, 0, size, lastId));
}

/** A part of `whole` that can be bound on its own; `offset` is a multiple of {@linkcode ALIGNMENT}. */
export function part(whole: Storage, offset: number, bytes: number): Storage {
  const size = Math.ceil(bytes / 16) * 16;
  const id = `${whole.id}+${offset}:${size}`, at = whole.offset + offset;
  return new Storage(whole.buffer, id, at, size, whole.age, whole);
}

/**
 * Takes a texture of `height` times `width` texels and at least `layers`, owned by the innermost scope.
 *
 * It starts as zeros, and later holds what was last written by someone with the same `use`: who never
 * writes some part of it can rely on zeros there.
 */
export function texture(
  width: number,
  height: number,
  layers: number,
  use = "",
  format: keyof typeof TEXEL = "rgba32float",
): Texture {
  const kind = `${width}x${height} ${format} ${use}`;
  const pooled = free.take(kind, layers, 2 * layers) as Texture | undefined;
  if (pooled) return taken(new Texture(pooled.texture, pooled.view, pooled.id, kind, pooled.age));
  const bytes = TEXEL[format] * width * height * layers;
  const made = creating(`a texture of ${megabytes(bytes)}`, () =>
    gpu().createTexture({
      size: [width, height, layers],
      format,
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    }));
  counters.textures++;
  counters.bytes += bytes;
  const view = made.createView({ dimension: "2d-array" });
  return taken(new Texture(made, view, `t${++lastId}`, kind, lastId));
}

/** Runs `body` in a scope of its own; afterwards all that it took is free again, but for `kept`. */
export function inScope<T>(body: () => T, kept: (result: T) => Iterable<Resource>): T {
  const outer = scope;
  const mine: Scope = scope = new Set();
  outermost ??= mine;
  try {
    const result = body();
    for (const resource of kept(result)) {
      if (resource.owner === mine) own(resource, outer);
    }
    return result;
  } finally {
    scope = outer;
    if (!outer) outermost = undefined;
    for (const resource of mine) release(resource);
  }
}

/** Whether the innermost scope owns a resource. */
export function isOwn(resource: Resource): boolean {
  return scope !== undefined && resource.owner === scope;
}

/** Makes the innermost scope the owner of a resource, in place of one around it. */
export function adopt(resource: Resource): void {
  own(resource, scope);
}

/**
 * Runs `body` so that what it takes lives as long as `resource`; beside one that no scope owns, as long
 * as the outermost scope.
 */
export function beside<T>(resource: Resource, body: () => T): T {
  const inner = scope,
    { owner } = resource instanceof Storage ? resource.whole ?? resource : resource;
  scope = owner ?? outermost;
  try {
    return body();
  } finally {
    scope = inner;
  }
}

/** Runs `body` outside of any scope: what it takes and does not give back stays. */
export function outside<T>(body: () => T): T {
  const inner = scope, outer = outermost;
  scope = outermost = undefined;
  try {
    return body();
  } finally {
    scope = inner;
    outermost = outer;
  }
}

/** What WebGPU calls it by; parts of a buffer have the same. */
export function handleOf(resource: Resource): GPUBuffer | GPUTexture {
  return resource instanceof Storage ? resource.buffer : resource.texture;
}

/** Takes these out of the pool, as far as they are there; they can be released later. */
export function claim(handles: ReadonlySet<GPUBuffer | GPUTexture>): Resource[] {
  return free.takeAll((resource) => handles.has(handleOf(resource)));
}

/** Gives a buffer or texture back to the pool, ahead of its scope. */
export function release(resource: Resource): void {
  own(resource, undefined);
  resource.live = false;
  if (resource instanceof Storage) free.put("buffer", resource.buffer.size, resource);
  else free.put(resource.kind, resource.texture.depthOrArrayLayers, resource);
}

/**
 * Destroys what lies in the pool, for when other sizes will be needed from now on. Commands that use
 * it must have been submitted.
 */
export function drain(): void {
  for (const resource of free.takeAll()) {
    if (resource instanceof Storage) {
      counters.bytes -= resource.buffer.size;
      resource.buffer.destroy();
    } else {
      const { width, height, depthOrArrayLayers, format } = resource.texture;
      resource.texture.destroy();
      counters.bytes -= TEXEL[format as keyof typeof TEXEL] * width * height * depthOrArrayLayers;
    }
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
