/**
 * Device memory: buffers and textures, taken by scope and given back to a pool.
 *
 * A step allocates and releases the same sizes in the same order each time, so the pool soon meets every
 * request. Since it always gives the oldest of the resources that fit best, a repeated step binds the
 * same ones, and bind groups can be cached. Large resources are used for half their size, too: a step of
 * D works on real and fake images at once, one of G on half as many.
 *
 * @module
 */
import { GpuError, TooLargeError } from "./errors.ts";
import { type Gpu, gpu } from "./gpu.ts";

/** A range of a buffer on the device. Sizes are multiples of 16 bytes, so that vec4 fits. */
export class Storage {
  /** False once it is released. */
  live = true;
  /** The scope that releases it, if any. */
  owner: Set<Resource> | undefined;
  /** Grows whenever the contents may change; values derived from them are cached by it. */
  version = 0;
  /** A range of `size` bytes from byte `offset` of `buffer`. */
  constructor(
    readonly gpu: Gpu,
    readonly buffer: GPUBuffer,
    /** Names the range in cached bind groups. */
    readonly id: string,
    readonly offset: number,
    readonly size: number,
    /** Place in the order in which resources were made. */
    readonly age = 0,
    /** The storage that it is a part of, if it is one. */
    readonly whole?: Storage,
  ) {}
}

/** A texture array of four numbers a texel, read and written by shaders. */
export class Texture {
  /** False once it is released. */
  live = true;
  /** The scope that releases it, if any. */
  owner: Set<Resource> | undefined;
  /** Free textures are pooled by `kind`; one with enough layers is reused. */
  constructor(
    readonly gpu: Gpu,
    readonly texture: GPUTexture,
    readonly view: GPUTextureView,
    readonly id: string,
    readonly kind: string,
    readonly age: number,
  ) {}
}

/** What can be bound. */
export type Resource = Storage | Texture;

/** Resources that are released together. */
export type Scope = Set<Resource>;

/** Offsets inside one buffer are multiples of this many bytes. */
export const ALIGNMENT = 256;

/** Bytes a texel of the formats that textures have. */
const TEXEL = { rgba32float: 16, rgba16float: 8 } as const;

/** Bytes from which a buffer of up to twice the size that is asked for may be used. */
const LARGE = 1 << 16;

function taken<T extends Resource>(resource: T): T {
  own(resource, resource.gpu.scope);
  return resource;
}

function own(resource: Resource, by: Scope | undefined): void {
  resource.owner?.delete(resource);
  resource.owner = by;
  by?.add(resource);
}

/**
 * Refuses a resource of another device.
 *
 * @throws {GpuError} If it is.
 */
export function assertOn(g: Gpu, resource: Resource): void {
  if (resource.gpu === g) return;
  throw new GpuError(
    `A tensor of one Gpu cannot be used under another (${resource.gpu.info.name}, ${g.info.name}): ` +
      `put the call into use() of its own, or read the tensor and make one of its values`,
  );
}

/** The largest binding of the current device, in bytes. */
export function bindable(): number {
  return gpu().bindable;
}

/** The error for `what` of more bytes than the device allows. */
export function tooLarge({ info }: Gpu, what: string, bytes: number, most: number): TooLargeError {
  return new TooLargeError(
    `${what} is too large for ${info.name}: got ${megabytes(bytes)}, expected at most ` +
      `${megabytes(most)}: use a smaller batch, --accumulate in training, or a narrower network`,
  );
}

/**
 * Takes a buffer of at least `bytes` with undefined contents, owned by the innermost scope.
 *
 * @throws {TooLargeError} If the device has no buffers of that size.
 */
export function storage(bytes: number): Storage {
  const g = gpu(), size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const { maxBufferSize: most } = g.info.limits;
  if (size > most) throw tooLarge(g, "A buffer", size, most);
  // A new wrapper each time: a use of the old one throws instead of reading garbage.
  const pooled = g.pool.take("buffer", size, size < LARGE ? size : 2 * size) as Storage | undefined;
  if (pooled) {
    const { buffer, age } = pooled, id = buffer.size === size ? `b${age}` : `b${age}:${size}`;
    return taken(new Storage(g, buffer, id, 0, size, age));
  }
  const buffer = g.creating(`a buffer of ${megabytes(size)}`, () =>
    g.device.createBuffer({
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }));
  g.counters.buffers++;
  g.counters.bytes += size;
  return taken(new Storage(g, buffer, `b${++g.lastId}`, 0, size, g.lastId));
}

/** A part of `whole` that can be bound on its own; `offset` is a multiple of {@linkcode ALIGNMENT}. */
export function part(whole: Storage, offset: number, bytes: number): Storage {
  const size = Math.ceil(bytes / 16) * 16;
  const id = `${whole.id}+${offset}:${size}`, at = whole.offset + offset;
  return new Storage(whole.gpu, whole.buffer, id, at, size, whole.age, whole);
}

/** Buffers of one layout, in ranges that can be bound: in one where all fit. */
export function* ranges<K extends string>(
  buffers: Readonly<Record<K, Storage>>,
): Generator<Record<K, Storage>> {
  const all = Object.entries<Storage>(buffers), [[, { size }]] = all;
  const most = size <= bindable() ? size : Math.floor(bindable() / ALIGNMENT) * ALIGNMENT;
  for (let begin = 0; begin < size; begin += most) {
    const bytes = Math.min(most, size - begin);
    const range = (whole: Storage) => bytes === size ? whole : part(whole, begin, bytes);
    yield Object.fromEntries(all.map(([name, whole]) => [name, range(whole)])) as never;
  }
}

/**
 * Takes a texture of `height` times `width` texels and at least `layers`, owned by the innermost scope.
 *
 * It starts as zeros and later holds what was last written under the same `use`: a part that is never
 * written under that `use` stays zero.
 */
export function texture(
  width: number,
  height: number,
  layers: number,
  use = "",
  format: keyof typeof TEXEL = "rgba32float",
): Texture {
  const g = gpu(), kind = `${width}x${height} ${format} ${use}`;
  const pooled = g.pool.take(kind, layers, 2 * layers) as Texture | undefined;
  if (pooled) {
    return taken(new Texture(g, pooled.texture, pooled.view, pooled.id, kind, pooled.age));
  }
  const bytes = TEXEL[format] * width * height * layers;
  const made = g.creating(`a texture of ${megabytes(bytes)}`, () =>
    g.device.createTexture({
      size: [width, height, layers],
      format,
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    }));
  g.counters.textures++;
  g.counters.bytes += bytes;
  const view = made.createView({ dimension: "2d-array" });
  return taken(new Texture(g, made, view, `t${++g.lastId}`, kind, g.lastId));
}

/** Runs `body` in a scope of its own, which then releases everything that `body` allocated but `kept`. */
export function inScope<T>(body: () => T, kept: (result: T) => Iterable<Resource>): T {
  const g = gpu(), outer = g.scope;
  const mine: Scope = g.scope = new Set();
  g.outermost ??= mine;
  try {
    const result = body();
    for (const resource of kept(result)) {
      if (resource.owner === mine) own(resource, outer);
    }
    return result;
  } finally {
    g.scope = outer;
    if (!outer) g.outermost = undefined;
    for (const resource of mine) release(resource);
  }
}

/** Whether the innermost scope owns a resource. */
export function isOwn(resource: Resource): boolean {
  const { scope } = resource.gpu;
  return scope !== undefined && resource.owner === scope;
}

/** Makes the innermost scope the owner of a resource, in place of one around it. */
export function adopt(resource: Resource): void {
  own(resource, resource.gpu.scope);
}

/**
 * Runs `body` so that its allocations live as long as `resource`, or as the outermost scope if no scope
 * owns `resource`.
 */
export function beside<T>(resource: Resource, body: () => T): T {
  const { owner, gpu: g } = resource instanceof Storage ? resource.whole ?? resource : resource;
  const inner = g.scope;
  g.scope = owner ?? g.outermost;
  try {
    return body();
  } finally {
    g.scope = inner;
  }
}

/** Runs `body` outside of any scope: its allocations stay until they are released. */
export function outside<T>(body: () => T): T {
  const g = gpu(), { scope, outermost } = g;
  g.scope = g.outermost = undefined;
  try {
    return body();
  } finally {
    g.scope = scope;
    g.outermost = outermost;
  }
}

/** The WebGPU object; parts of a buffer share it. */
export function handleOf(resource: Resource): GPUBuffer | GPUTexture {
  return resource instanceof Storage ? resource.buffer : resource.texture;
}

/** Takes those of these that are pooled out of the pool; they can be released later. */
export function claim(handles: ReadonlySet<GPUBuffer | GPUTexture>): Resource[] {
  return gpu().pool.takeAll((resource) => handles.has(handleOf(resource)));
}

/** Returns a buffer or texture to the pool before its scope ends. */
export function release(resource: Resource): void {
  const { pool } = resource.gpu;
  own(resource, undefined);
  resource.live = false;
  if (resource instanceof Storage) pool.put("buffer", resource.buffer.size, resource);
  else pool.put(resource.kind, resource.texture.depthOrArrayLayers, resource);
}

/**
 * Destroys the pooled resources, for when other sizes will be needed. Commands that use them must have
 * been submitted.
 */
export function drain({ pool, counters }: Gpu): void {
  for (const resource of pool.takeAll()) {
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
