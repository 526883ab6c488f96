import { type Image, imageChannels, toRgb } from "../data/image.ts";
import { release } from "../gpu/memory.ts";
import { toBytes } from "../kernels/bytes.ts";
import { EVALUATION } from "../nn/context.ts";
import type { Module } from "../nn/module.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { attentionMaps } from "./attention_maps.ts";
import { classed, latentsAt, type SamplingOptions } from "./sampling.ts";

/** Places in images, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const SMALLEST = 128; // side of an image in the sheet
const GAP = 4, DIM = 0.35, GLOW = [255, 220, 60], MARK = [255, 0, 0];

/** Five points: the centre, and the middles of the quarters. */
export function standardPoints(R: number): Point[] {
  const at = (x: number, y: number) => ({ x: Math.floor(x * R / 4), y: Math.floor(y * R / 4) });
  return [at(2, 2), at(1, 1), at(3, 1), at(1, 3), at(3, 3)];
}

/**
 * Where images look from given points: a row an image, with the image itself first, then one for
 * each point. The point is marked; the brighter a place, the more is looked at it (the brightest of a
 * map has the greatest share, whatever that is).
 *
 * @param images `[n, R, R, 3]`.
 * @param map `[n, side^2, keys]`, the shares of all keys for all queries.
 * @param side Of the map that attends.
 */
export function attentionSheet(
  images: Uint8Array,
  { map, side, n, R }: { map: Float32Array; side: number; n: number; R: number },
  points: readonly Point[],
): Image {
  const keys = map.length / n / side ** 2, keySide = Math.sqrt(keys);
  const zoom = Math.max(1, Math.ceil(SMALLEST / R)), cell = R * zoom, step = cell + GAP;
  const width = (points.length + 1) * step - GAP, height = n * step - GAP;
  const rgb = new Uint8Array(width * height * 3).fill(255);
  const put = (row: number, column: number, color: (x: number, y: number, c: number) => number) => {
    for (let y = 0; y < cell; y++) {
      for (let x = 0; x < cell; x++) {
        const at = ((row * step + y) * width + column * step + x) * 3;
        for (let c = 0; c < 3; c++) {
          rgb[at + c] = color(Math.floor(x / zoom), Math.floor(y / zoom), c);
        }
      }
    }
  };
  for (let i = 0; i < n; i++) {
    const pixel = (x: number, y: number, c: number) => images[((i * R + y) * R + x) * 3 + c];
    put(i, 0, pixel);
    points.forEach((point, k) => {
      const to = (place: number, side: number) => Math.floor(place * side / R);
      const query = to(point.y, side) * side + to(point.x, side);
      const shares = map.subarray(
        (i * side ** 2 + query) * keys,
        (i * side ** 2 + query + 1) * keys,
      );
      const most = Math.max(...shares), half = Math.floor(R / 64);
      put(i, k + 1, (x, y, c) => {
        const marked = Math.abs(x - point.x) <= half && Math.abs(y - point.y) <= half;
        if (marked) return MARK[c];
        const share = shares[to(y, keySide) * keySide + to(x, keySide)] / most;
        return DIM * pixel(x, y, c) + (1 - DIM) * share * GLOW[c];
      });
    });
  }
  return { width, height, rgb };
}

/** A sheet for each attention of a generator, of the first images of a seed. */
export async function attentionSheets(
  G: Module,
  options: SamplingOptions,
  count: number,
  seed: number,
  points: readonly Point[],
): Promise<{ path: string; sheet: Image }[]> {
  const R = options.resolution, C = imageChannels(options), size = R * R * 3;
  const pixels = new Uint8Array(count * size);
  const maps = new Map<string, { side: number; parts: Float32Array[] }>();
  for (let at = 0; at < count; at++) {
    const made = scoped(() => {
      const z = latentsAt(classed(options, count), seed, at, 1);
      const maps = attentionMaps(G, z).map(({ path, side, map }) => ({ path, side, map }));
      return { x: noGrad(() => G.forward(z, EVALUATION)), maps };
    });
    pixels.set(toRgb(await bytesOf(made.x), C), at * size);
    for (const { path, side, map } of made.maps) {
      const all = maps.get(path) ?? { side, parts: [] };
      maps.set(path, all);
      all.parts.push(await map.read());
      release(map.storage);
    }
  }
  return [...maps].map(([path, { side, parts }]) => {
    const map = new Float32Array(parts.length * parts[0].length);
    parts.forEach((part, i) => map.set(part, i * part.length));
    return { path, sheet: attentionSheet(pixels, { map, side, n: count, R }, points) };
  });
}

async function bytesOf(x: Tensor): Promise<Uint8Array> {
  const bytes = toBytes(x);
  release(x.storage);
  return await bytes;
}
