import { assertEquals } from "@std/assert";
import { decodeSamples } from "./decode.ts";
import channels from "./fixtures/channels.json" with { type: "json" };
import decoding from "./fixtures/decoding.json" with { type: "json" };
import { toRgb } from "./image.ts";
import type { Dataset } from "./pack.ts";
import { resampled } from "./resample.ts";
import { batchAt, gather } from "./sampler.ts";
import { shrink } from "./shrink.ts";

const files = decoding as Record<string, { file: string }>;
const bytesOf = (text: string) => Uint8Array.fromBase64(text);
const { image, by, nearest } = channels.reduced;
const sprite = { width: 24, height: 24, data: bytesOf(image), step: 4 } as const;
const whole = { x: 0, y: 0, width: 24, height: 24 };

/** Colors that nobody sees are black. */
function seen(pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(pixels, (value, i) => pixels[i | 3] === 0 ? 0 : value);
}

for (const [name, { gray, rgba }] of Object.entries(channels.decoded)) {
  Deno.test(`${name}: gray and alpha are Pillow's`, () => {
    const file = bytesOf(files[name].file);
    const inGray = decodeSamples(file, undefined, "gray");
    const withAlpha = decodeSamples(file, undefined, "rgba");
    assertEquals([inGray.step, withAlpha.step], [1, 4]);
    assertEquals(inGray.data, bytesOf(gray));
    assertEquals(seen(withAlpha.data), seen(bytesOf(rgba)));
  });
}

Deno.test("images with alpha are made smaller as by Pillow's reduce, in memory, too", () => {
  for (const [factor, expected] of Object.entries(by)) {
    const R = 24 / Number(factor);
    assertEquals(resampled(sprite, whole, R, "area", 4), bytesOf(expected), factor);
    const dataset: Dataset = {
      ...{ name: "sprite", count: 2, resolution: 24, channels: 4, hash: "", broken: [] },
      pixels: Uint8Array.of(...sprite.data, ...sprite.data),
    };
    const two = bytesOf(expected);
    assertEquals(shrink(dataset, R).pixels, Uint8Array.of(...two, ...two), factor);
  }
  assertEquals(resampled(sprite, whole, 8, "nearest", 4), seen(bytesOf(nearest)));
  // A part of it, as that part by itself; what keeps its size is as it was.
  const part = { x: 2, y: 10, width: 6, height: 6 };
  const cut = Uint8Array.from({ length: 144 }, (_, i) => {
    const y = Math.floor(i / 24), x = Math.floor(i / 4) % 6;
    return sprite.data[4 * ((10 + y) * 24 + 2 + x) + i % 4];
  });
  for (const resize of ["area", "bilinear"] as const) {
    assertEquals(resampled(sprite, part, 6, resize, 4), seen(cut));
    assertEquals(
      resampled(sprite, part, 4, resize, 4),
      resampled({ width: 6, height: 6, data: cut, step: 4 }, { ...part, x: 0, y: 0 }, 4, resize, 4),
    );
  }
});

Deno.test("enlarged, a colored pixel beside a transparent one keeps its color", () => {
  const data = Uint8Array.of(200, 100, 50, 255, 9, 9, 9, 0, 200, 100, 50, 255, 9, 9, 9, 0);
  const large = resampled(
    { width: 2, height: 2, data, step: 4 },
    { x: 0, y: 0, width: 2, height: 2 },
    4,
    "bilinear",
    4,
  );
  const row = [[200, 100, 50, 255], [200, 100, 50, 191], [199, 99, 51, 64], [0, 0, 0, 0]];
  assertEquals([...large.subarray(0, 16)], row.flat());
});

Deno.test("a gray image is averaged as each channel of a color one", () => {
  const gray = Uint8Array.from({ length: 169 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
  const part = { x: 1, y: 2, width: 12, height: 11 };
  for (const resize of ["area", "bilinear", "nearest"] as const) {
    const one = resampled({ width: 13, height: 13, data: gray, step: 1 }, part, 5, resize, 1);
    const color = { width: 13, height: 13, data: toRgb(gray, 1), step: 3 } as const;
    assertEquals(toRgb(one, 1), resampled(color, part, 5, resize, 3));
  }
});

Deno.test("pixels of any channels are gathered, mirrored and laid on white", () => {
  for (const C of [1, 4]) {
    const pixels = Uint8Array.from({ length: 3 * 4 * C }, (_, i) => i);
    const dataset: Dataset = {
      ...{ name: "p", count: 3, resolution: 2, channels: C, pixels, hash: "", broken: [] },
    };
    const batch = { indices: Uint32Array.of(2, 0), mirrored: Uint8Array.of(0, 1) };
    const pixel = (i: number) => [...pixels.subarray(i * C, (i + 1) * C)];
    const expected = [8, 9, 10, 11, 1, 0, 3, 2].flatMap(pixel);
    assertEquals([...gather(dataset, batch)], expected);
    assertEquals(batchAt({ count: 3, seed: 0, mirror: true }, 0, 2).indices.length, 2);
  }
  assertEquals([...toRgb(Uint8Array.of(10, 20, 30, 255, 1, 2, 3, 0, 0, 100, 255, 51), 4)], [
    ...[10, 20, 30, 255, 255, 255],
    ...[204, 224, 255],
  ]);
});
