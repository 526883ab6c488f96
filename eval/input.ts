/**
 * From bytes to what a network looks at: for Inception 299 x 299 pixels.
 *
 * @module
 */
import type { Rectangle } from "../data/crop.ts";
import type { Image } from "../data/image.ts";
import { bindable } from "../gpu/memory.ts";
import { fromBytes } from "../kernels/bytes.ts";
import { bilinear } from "../kernels/resample.ts";
import { concat } from "../kernels/slice.ts";
import { scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { EvalError } from "./errors.ts";
import { type Filter, resizeFloat } from "./resize.ts";

/** The ways in use, as they are named in reports behind the side that the network looks at. */
export const STAGES = {
  bilinear: "bilinear, half-pixel centres, no antialiasing; 2x/255 - 1",
  bicubic: "Pillow's bicubic with antialiasing, in float; (x - 128)/128",
  tensorflow: "TensorFlow 1's bilinear, aligned at the corner; (x - 128)/128",
} as const;

/** One of {@linkcode STAGES}. */
export type Stage = keyof typeof STAGES;

/** Images of one size, one after another: `rgb` is `[count, height, width, 3]`. */
export interface Group extends Image {
  readonly count: number;
}

/** Bytes of floats that images take on the device at a time. */
const MOST = 1 << 26;

/**
 * Resizes images, each from its own width and height.
 *
 * @param side Pixels along a side of what the network looks at.
 * @returns `[N, side, side, 3]`, all groups one after another.
 */
export function toInput(groups: readonly Group[], stage: Stage, side = 299): Tensor {
  const parts = stage === "bilinear"
    ? groups.flatMap((group) => [...batches(group)]).map((group) => onDevice(group, side))
    : groups.map((group) => onHost(group, stage, side));
  return parts.length === 1 ? parts[0] : concat(parts, 0);
}

function* batches(group: Group): Generator<Group> {
  const { count, height, width, rgb } = group, size = height * width * 3;
  const step = Math.max(1, Math.floor(Math.min(MOST, bindable()) / (4 * size)));
  for (let at = 0; at < count; at += step) {
    const n = Math.min(step, count - at);
    yield { ...group, count: n, rgb: rgb.slice(at * size, (at + n) * size) };
  }
}

function onDevice(group: Group, side: number): Tensor {
  const { count, height } = group;
  return scoped(() => {
    // A large image is one of its own; rows of the result depend on no other column.
    const parts = [...strips(group)].map(({ rgb, width }) =>
      scoped(() => bilinear(fromBytes(rgb, [count, height, width, 3]), [side, width]))
    );
    return bilinear(parts.length === 1 ? parts[0] : concat(parts, 2), [side, side]);
  });
}

/** An image in vertical strips that the device can bind, or all images at once. */
function* strips(
  { height, width, rgb, count }: Group,
): Generator<{ width: number; rgb: Uint8Array<ArrayBuffer> }> {
  const most = Math.min(MOST, bindable()), columns = Math.floor(most / (12 * height));
  if (count > 1 || columns >= width) {
    yield { width, rgb: rgb as Uint8Array<ArrayBuffer> };
    return;
  }
  for (let left = 0; left < width; left += columns) {
    const n = Math.min(columns, width - left), strip = new Uint8Array(3 * height * n);
    for (let y = 0; y < height; y++) {
      const at = 3 * (y * width + left);
      strip.set(rgb.subarray(at, at + 3 * n), 3 * y * n);
    }
    yield { width: n, rgb: strip };
  }
}

function onHost({ count, height, width, rgb }: Group, filter: Filter, side: number): Tensor {
  const size = height * width * 3, stride = side * side * 3;
  const values = new Float32Array(count * stride);
  for (let i = 0; i < count; i++) {
    const image = { height, width, rgb: rgb.subarray(i * size, (i + 1) * size) };
    const resized = resizeFloat(image, [side, side], filter);
    for (let at = 0; at < stride; at++) {
      values[i * stride + at] = (Math.min(255, Math.max(0, resized[at])) - 128) / 128;
    }
  }
  return tensor(values, [count, side, side, 3]);
}

/**
 * Cuts a part out of each image.
 *
 * @throws {EvalError} If it lies outside of them.
 */
export function cutOut({ count, height, width, rgb }: Group, part: Rectangle): Group {
  if (part.x + part.width > width || part.y + part.height > height) {
    throw new EvalError(
      `eval: the part ${part.width}x${part.height}+${part.x}+${part.y} lies outside of images of ` +
        `${width} x ${height}; give another one, or one --resolution for all`,
    );
  }
  const stride = 3 * part.width, cut = new Uint8Array(count * part.height * stride);
  for (let row = 0; row < count * part.height; row++) {
    const image = Math.floor(row / part.height), y = part.y + row % part.height;
    const from = 3 * ((image * height + y) * width + part.x);
    cut.set(rgb.subarray(from, from + stride), row * stride);
  }
  return { count, width: part.width, height: part.height, rgb: cut };
}

/** Joins images of one size that follow one another. */
export function grouped(images: readonly Image[]): Group[] {
  const groups: Image[][] = [];
  for (const image of images) {
    const [last] = groups.at(-1) ?? [];
    if (last?.width === image.width && last.height === image.height) groups.at(-1)!.push(image);
    else groups.push([image]);
  }
  return groups.map((group) => {
    const [{ width, height }] = group, size = width * height * 3;
    const rgb = new Uint8Array(group.length * size);
    group.forEach((image, i) => rgb.set(image.rgb, i * size));
    return { count: group.length, width, height, rgb };
  });
}
