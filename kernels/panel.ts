/**
 * Operands of the GEMM kernels, laid out so that those need no bounds and read four channels at
 * once: from storage textures on the software device (a load costs it a seventh of a buffer's), from
 * buffers on a GPU.
 *
 * @module
 */
import wgsl from "./panel.wgsl" with { type: "text" };
import { copyToTexture, ROW_ALIGNMENT } from "../gpu/copy.ts";
import { deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { kernel } from "../gpu/kernel.ts";
import {
  beside,
  release,
  type Resource,
  type Storage,
  storage,
  Texture,
  texture,
} from "../gpu/memory.ts";
import { run } from "../gpu/run.ts";
import { expand } from "../gpu/wgsl.ts";
import { sameShape, type Tensor } from "../tensor/tensor.ts";
import type { Plan } from "./plan.ts";
import { up } from "./plan_rules.ts";
import type { Precision } from "./precision.ts";

const kernels = { f32: kernelsOf("rgba32float"), f16: kernelsOf("rgba16float") };
/** Bytes of a texel, which holds four numbers. */
const BYTES = { f32: 16, f16: 8 };

function kernelsOf(FORMAT: "rgba32float" | "rgba16float") {
  const HALF = FORMAT === "rgba16float", name = HALF ? "panel f16" : "panel";
  const source = expand({ name: "panel.wgsl", text: wgsl }, { FORMAT, HALF });
  return {
    texture: {
      aligned: kernel(name, source, "aligned_texture"),
      strided: kernel(name, source, "strided_texture"),
    },
    buffer: {
      aligned: kernel(name, source, "aligned_buffer"),
      strided: kernel(name, source, "strided_buffer"),
    },
  };
}

/** Where a GEMM reads its operands from. */
export type Load = "texture" | "buffer";

/** Where a plan's kernels read from: tiles are filled from buffers. */
export function loadOf({ load }: Plan): Load {
  return load === "texture" ? "texture" : "buffer";
}

/** A tensor as `[layers, H, W, C]` with any strides, and the frame of zeros around it. */
export interface Layout {
  /** Sizes of what is read. */
  readonly size: readonly [layers: number, H: number, W: number, C: number];
  /** Elements from one layer, row, column and channel to the next. */
  readonly strides: readonly [number, number, number, number];
  /** Rows in all, with `top` of zeros first; the rest follows the image. */
  readonly rows: number;
  readonly top: number;
  /** Columns in all, with `left` of zeros first. */
  readonly columns: number;
  readonly left: number;
  /** Channels in all, a multiple of 4. */
  readonly channels: number;
}

/** A laid-out operand. */
export interface Panel {
  readonly resource: Resource;
  readonly layers: number;
  readonly rows: number;
  /** Texels a row. */
  readonly width: number;
}

/** The layout of an array `[layers, H, W, C]` as it stands, without a frame. */
export function plain([layers, H, W, C]: Layout["size"], channels: number): Layout {
  return {
    size: [layers, H, W, C],
    strides: [H * W * C, W * C, C, 1],
    rows: H,
    top: 0,
    columns: W,
    left: 0,
    channels,
  };
}

/** The same without its frame, and with channels padded to whole texels only, for tiles. */
export function bare(layout: Layout): Layout {
  const { size: [, H, W, C] } = layout;
  return { ...layout, rows: H, top: 0, columns: W, left: 0, channels: up(C, 4) };
}

/** True if a texture of this device can hold the layout. */
export function fitsTexture({ size: [layers], rows, columns, channels }: Layout): boolean {
  const { maxTextureDimension2D: side, maxTextureArrayLayers } = deviceInfo().limits;
  return layers <= maxTextureArrayLayers && rows <= side && columns * channels / 4 <= side;
}

/** The panels of a storage's contents of `version`. */
interface Packed {
  readonly version: number;
  readonly panels: { layout: Layout; load: Load; precision: Precision; panel: Panel }[];
}

/** All panels of a device. */
class Packings extends WeakMap<Storage, Packed> {}

/**
 * Lays `x` out. The result is kept as long as neither the contents of `x` change nor its scope ends,
 * so that the next convolution uses it, too.
 */
export function pack(
  x: Tensor,
  layout: Layout,
  load: Load,
  precision: Precision = "f32",
): Panel {
  const packed = gpu().of(Packings);
  let known = packed.get(x.storage);
  if (known?.version !== x.storage.version) {
    for (const { panel: { resource } } of known?.panels ?? []) {
      if (resource !== x.storage && resource.live) release(resource);
    }
    known = { version: x.storage.version, panels: [] };
    packed.set(x.storage, known);
  }
  const old = known.panels.find((old) =>
    old.load === load && old.precision === precision && old.panel.resource.live &&
    same(old.layout, layout)
  );
  if (old) return old.panel;
  const panel = beside(x.storage, () => lay(x, layout, load, precision));
  known.panels.push({ layout, load, precision, panel });
  return panel;
}

function same(a: Layout, b: Layout): boolean {
  return a.rows === b.rows && a.columns === b.columns && a.channels === b.channels &&
    a.top === b.top && a.left === b.left && sameShape(a.size, b.size) &&
    sameShape(a.strides, b.strides);
}

function lay(x: Tensor, layout: Layout, load: Load, precision: Precision): Panel {
  const { size: [layers, H, W, C], strides: [sl, sy, sx, sc], rows, top, columns, left } = layout;
  const C4 = layout.channels / 4, width = columns * C4;
  const aligned = sc === 1 && [C, sl, sy, sx].every((n) => n % 4 === 0);
  const dense = aligned && C === layout.channels && (W === 1 || sx === C) && sy === W * C &&
    sl === H * sy;
  const asIs = dense && precision === "f32";
  if (load === "buffer" && asIs && rows === H && columns === W) {
    return { resource: x.storage, layers, rows, width };
  }
  const height = Math.min(H, rows - top), inner = Math.min(W, columns - left) * C4;
  const resource = load === "texture"
    ? texture(
      width,
      rows,
      layers,
      `${left * C4} ${top} ${inner} ${height}`,
      precision === "f16" ? "rgba16float" : "rgba32float",
    )
    : storage(BYTES[precision] * layers * rows * width);
  if (resource instanceof Texture && asIs && 4 * sy % ROW_ALIGNMENT === 0) {
    // The frame is zeros from the start, and never written.
    const size = { width: inner, height, depthOrArrayLayers: layers };
    copyToTexture(
      x.storage,
      resource,
      { texels: sy / 4, rows: H },
      { x: left * C4, y: top },
      size,
    );
    return { resource, layers, rows, width };
  }
  const transposed = sy === 1 && sc !== 1;
  const [along, lines] = transposed ? [rows, layers * width] : [width, layers * rows];
  // A workgroup of 64, as long as a line if possible.
  const WX = along > 32 ? 64 : along > 16 ? 32 : along > 8 ? 16 : 8, WY = 64 / WX;
  const across = Math.ceil(lines / WY), deep = Math.ceil(across / 65_535);
  run(
    kernels[precision][load][aligned ? "aligned" : "strided"],
    {
      ...(aligned ? { x4: x } : { x }),
      ...(load === "texture" ? { image: resource } : { panel: resource }),
    },
    { layers, rows, width, C4, top, left, H, W, C, sl, sy, sx, sc },
    [Math.ceil(along / WX), Math.ceil(across / deep), deep],
    {
      FLAT: Number(columns === 1 || sx === C * sc && C === layout.channels),
      TRANSPOSED: Number(transposed),
      WX,
      WY,
    },
  );
  return { resource, layers, rows, width };
}
