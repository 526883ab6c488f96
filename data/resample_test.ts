import { assert, assertEquals } from "@std/assert";
import type { Rectangle } from "./crop.ts";
import type { Image } from "./image.ts";
import { resample, resampled } from "./resample.ts";

function noise(width: number, height: number): Image {
  const rgb = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24,
  );
  return { width, height, rgb };
}

/** The average over the rectangle that a pixel covers, by summing overlaps with every source pixel. */
function areaReference(image: Image, part: Rectangle, R: number): Float64Array {
  const result = new Float64Array(R * R * 3);
  const sx = part.width / R, sy = part.height / R;
  for (let i = 0; i < R * R * 3; i++) {
    const c = i % 3, x = Math.floor(i / 3) % R, y = Math.floor(i / 3 / R);
    for (let v = 0; v < part.height; v++) {
      for (let u = 0; u < part.width; u++) {
        const wide = Math.max(0, Math.min(u + 1, (x + 1) * sx) - Math.max(u, x * sx));
        const high = Math.max(0, Math.min(v + 1, (y + 1) * sy) - Math.max(v, y * sy));
        const at = ((part.y + v) * image.width + part.x + u) * 3 + c;
        result[i] += wide * high / (sx * sy) * image.rgb[at];
      }
    }
  }
  return result;
}

/** Half-pixel centres, coordinates clamped to the part. */
function bilinearReference(image: Image, part: Rectangle, R: number): Float64Array {
  const result = new Float64Array(R * R * 3);
  for (let i = 0; i < R * R * 3; i++) {
    const c = i % 3, x = Math.floor(i / 3) % R, y = Math.floor(i / 3 / R);
    const u = Math.min(part.width - 1, Math.max(0, (x + 0.5) * part.width / R - 0.5));
    const v = Math.min(part.height - 1, Math.max(0, (y + 0.5) * part.height / R - 0.5));
    for (const [yy, wy] of [[Math.floor(v), 1 - v % 1], [Math.ceil(v), v % 1]]) {
      for (const [xx, wx] of [[Math.floor(u), 1 - u % 1], [Math.ceil(u), u % 1]]) {
        result[i] += wx * wy * image.rgb[((part.y + yy) * image.width + part.x + xx) * 3 + c];
      }
    }
  }
  return result;
}

const cases: [Image, Rectangle, number][] = [
  [noise(7, 5), { x: 0, y: 0, width: 7, height: 5 }, 3],
  [noise(13, 11), { x: 2, y: 3, width: 10, height: 7 }, 4],
  [noise(8, 8), { x: 0, y: 0, width: 8, height: 8 }, 4],
  [noise(3, 2), { x: 0, y: 0, width: 3, height: 2 }, 8],
  [noise(5, 5), { x: 4, y: 4, width: 1, height: 1 }, 3],
  [noise(89, 109), { x: 7, y: 18, width: 74, height: 74 }, 64],
  // Not in whole numbers: a sum may lie halfway, or is too large.
  [noise(13, 12), { x: 1, y: 0, width: 12, height: 12 }, 5],
  [noise(3, 259), { x: 0, y: 0, width: 3, height: 259 }, 2],
];

for (
  const [resize, reference] of [["area", areaReference], ["bilinear", bilinearReference]] as const
) {
  Deno.test(`${resize} is the reference, rounded`, () => {
    for (const [image, part, R] of cases) {
      const actual = resample(image, part, R, resize);
      const expected = reference(image, part, R);
      assertEquals(actual.length, expected.length);
      for (let i = 0; i < actual.length; i++) {
        assert(
          Math.abs(actual[i] - expected[i]) <= 0.5 + 1e-9,
          `${image.width} x ${image.height} to ${R}: element ${i} is ${actual[i]}, not ${
            expected[i]
          }`,
        );
      }
    }
  });
}

Deno.test("samples of four bytes are averaged as those of three, without the fourth", () => {
  for (const [image, part, R] of cases) {
    const { width, height, rgb } = image, data = new Uint8Array(4 * width * height).fill(77);
    for (let i = 0; i < rgb.length; i++) data[4 * Math.floor(i / 3) + i % 3] = rgb[i];
    const found = resampled({ width, height, data, step: 4 }, part, R, "area", 3);
    assertEquals(found, resample(image, part, R));
  }
});

Deno.test("the largest sums in whole numbers are those of white", () => {
  for (const side of [255, 256, 257]) {
    const rgb = new Uint8Array(side * side * 3).fill(255), part = { x: 0, y: 0, width: side };
    const small = resample({ width: side, height: side, rgb }, { ...part, height: side }, 2);
    assertEquals([...new Set(small)], [255]);
  }
});

Deno.test("the same size changes nothing, however it is resized", () => {
  const image = noise(6, 6);
  for (const resize of ["area", "bilinear", "nearest"] as const) {
    assertEquals(resample(image, { x: 0, y: 0, width: 6, height: 6 }, 6, resize), image.rgb);
  }
});

Deno.test("nearest takes the pixel under the centre", () => {
  const rgb = Uint8Array.from([0, 1, 2, 3, 4].flatMap((v) => [v, v, v]));
  const image = { width: 5, height: 1, rgb };
  const row = (R: number) =>
    [...resample(image, { x: 0, y: 0, width: 5, height: 1 }, R, "nearest")]
      .filter((_, i) => i < R * 3 && i % 3 === 0);
  assertEquals(row(2), [1, 3]);
  assertEquals(row(3), [0, 2, 4]);
  assertEquals(row(10), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});
