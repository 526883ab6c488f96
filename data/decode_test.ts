import { Buffer } from "node:buffer";
import { assert, assertEquals, assertThrows } from "@std/assert";
import pngjs from "pngjs";
import { decode } from "./decode.ts";

function fixture(name: string): Uint8Array {
  return Deno.readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
}

/** Encodes 8-bit samples, or 16-bit ones where `options` says so. */
function png(width: number, height: number, data: number[], options: object): Uint8Array {
  return pngjs.PNG.sync.write({ width, height, data: Buffer.from(data) }, options);
}

function assertFilled(name: string, side: number, colour: number[], tolerance: number): void {
  const { width, height, rgb } = decode(fixture(name));
  assertEquals([width, height, rgb.length], [side, side, side * side * 3]);
  for (let i = 0; i < rgb.length; i++) {
    assert(
      Math.abs(rgb[i] - colour[i % 3]) <= tolerance,
      `${name}: sample ${i} is ${rgb[i]}, expected ${colour[i % 3]} within ${tolerance}`,
    );
  }
}

Deno.test("JPEG: grey, progressive, YCCK and CMYK have their colours", () => {
  assertFilled("grey.jpg", 16, [77, 77, 77], 0);
  assertFilled("progressive.jpg", 16, [200, 60, 30], 2);
  assertFilled("ycck.jpg", 16, [216, 49, 93], 2);
  // What ImageMagick makes of the same file.
  assertFilled("cmyk.jpg", 16, [120, 119, 32], 2);
});

Deno.test("PNG: 16 bits, and an interlaced palette of 1 bit", () => {
  assertEquals([...decode(fixture("rgb16.png")).rgb], [200, 60, 30, 200, 60, 30]);
  const { rgb } = decode(fixture("palette1_interlaced.png"));
  for (let i = 0; i < 16; i++) {
    const odd = (i % 4 + (i >> 2)) % 2 === 1;
    assertEquals([...rgb.subarray(i * 3, i * 3 + 3)], odd ? [10, 20, 30] : [240, 250, 5]);
  }
});

Deno.test("PNG: grey, and alpha laid on white", () => {
  const grey = png(2, 1, [7, 200], { colorType: 0, inputColorType: 0, inputHasAlpha: false });
  assertEquals([...decode(grey).rgb], [7, 7, 7, 200, 200, 200]);
  const clear = png(3, 1, [200, 60, 30, 102, 9, 9, 9, 0, 1, 2, 3, 255], { colorType: 6 });
  assertEquals([...decode(clear).rgb], [233, 177, 165, 255, 255, 255, 1, 2, 3]);
});

Deno.test("what is cut short at any place, changed or no picture throws", () => {
  for (const name of ["progressive.jpg", "ycck.jpg", "rgb16.png"]) {
    const bytes = fixture(name);
    // Before the end marker and the last bytes of the scan, which hold no more than padding.
    for (let size = 0; size < bytes.length - 4; size += 7) {
      assertThrows(() => decode(bytes.subarray(0, size)), Error);
    }
  }
  const flipped = fixture("rgb16.png");
  flipped[flipped.length - 20] ^= 4;
  assertThrows(() => decode(flipped), Error, "PNG");
  assertThrows(() => decode(new TextEncoder().encode("<html>")), Error, "neither");
});

Deno.test("files that make the decoder panic do not wear it out", () => {
  const good = fixture("progressive.jpg");
  const expected = decode(good).rgb;
  // Whether a change makes it panic can only be found by trying.
  let failures = 0;
  for (let i = 0; i < 1000; i++) {
    const bytes = good.slice();
    for (let k = 0; k < 6; k++) {
      bytes[2 + (Math.imul(i * 6 + k + 1, 0x9e3779b1) >>> 0) % (bytes.length - 2)] = i * 31 +
        k * 77;
    }
    try {
      decode(bytes);
    } catch (error) {
      if ((error as Error).message === "damaged JPEG") failures += 1;
    }
  }
  assert(failures > 200, `only ${failures} panics: the test tests nothing`);
  assertEquals(decode(good).rgb, expected);
});
