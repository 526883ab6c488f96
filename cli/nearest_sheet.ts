/** The sheet of fakes beside the real images that are nearest to them. */
import type { Image } from "../data/image.ts";
import { grid } from "../data/grid.ts";
import { savePng } from "../data/png.ts";
import type { ImageSet, PixelSet } from "../eval/extract.ts";
import type { Result } from "../eval/metrics/metric.ts";
import { nearest } from "../eval/nearest.ts";
import { range } from "../eval/products.ts";
import { resizeFloat } from "../eval/resize.ts";
import { UsageError } from "./errors.ts";
import { rowsOf, type Work } from "./measure.ts";

const NEAREST = 5, SIDE = 64; // of images that have no common side

/**
 * Writes a sheet with a row for each of the first fakes: the fake, then the real images whose features
 * are nearest to its, nearest first. Copies stand beside what they are copies of.
 */
export async function nearestSheet(work: Work): Promise<Result> {
  const { values, real, fake } = work, to = String(values.to ?? "nearest.png");
  for (const side of [real!, fake]) {
    if (!side.set) throw new UsageError(`nearest needs images, not the statistics of ${side.name}`);
  }
  if (!to.endsWith(".png")) throw new UsageError(`--to ${to}: a sheet is a .png`);
  const reals = await rowsOf(work, real!, "real"), all = await rowsOf(work, fake, "fake");
  const count = Math.min(Number(values.count ?? 16), all.count);
  const k = Math.min(NEAREST, reals.count);
  const { index, squared } = await nearest(range(all, 0, count), reals, k);
  const R = "resolution" in fake.set! ? fake.set.resolution : SIDE, size = R * R * 3;
  const made = await chosen(fake.set!, Array.from({ length: count }, (_, i) => i), R);
  const met = await chosen(real!.set!, index, R);
  const pixels = new Uint8Array(count * (k + 1) * size);
  for (let i = 0; i < count; i++) {
    pixels.set(made.get(i)!, i * (k + 1) * size);
    for (let n = 0; n < k; n++) {
      pixels.set(met.get(index[i * k + n])!, (i * (k + 1) + n + 1) * size);
    }
  }
  await savePng(to, grid(pixels, count * (k + 1), R, k + 1));
  const distances = Array.from({ length: count }, (_, i) => Math.sqrt(squared[i * k]));
  return {
    sheet: to,
    rows: "a fake, then the nearest real images, nearest first",
    distances,
    n_real: reals.count,
    n_fake: all.count,
  };
}

/** Some images of a set by their places in it, as squares of side `R`. */
async function chosen(
  set: PixelSet | ImageSet,
  places: ArrayLike<number>,
  R: number,
): Promise<Map<number, Uint8Array>> {
  const wanted = new Set(Array.from(places)), found = new Map<number, Uint8Array>();
  let at = 0;
  for await (const image of imagesOf(set)) {
    if (wanted.has(at)) found.set(at, squared(image, R));
    at++;
    if (found.size === wanted.size) break;
  }
  return found;
}

async function* imagesOf(set: PixelSet | ImageSet): AsyncGenerator<Image> {
  if ("images" in set) {
    yield* set.images();
    return;
  }
  const R = set.resolution, size = R * R * 3;
  for await (const bytes of set.batches(64)) {
    for (let from = 0; from < bytes.length; from += size) {
      yield { width: R, height: R, rgb: bytes.subarray(from, from + size) };
    }
  }
}

function squared(image: Image, R: number): Uint8Array {
  if (image.width === R && image.height === R) return Uint8Array.from(image.rgb);
  return Uint8Array.from(
    resizeFloat(image, [R, R], "bicubic"),
    (x) => Math.max(0, Math.min(255, Math.round(x))),
  );
}
