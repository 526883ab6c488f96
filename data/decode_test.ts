import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { assert, assertEquals, assertThrows } from "@std/assert";
import pngjs from "pngjs";
import { decode } from "./decode.ts";
import { readHeader } from "./header.ts";

/** Encoded images and the pixels that Pillow 9.4.0 decodes them to: see fixtures/decoding.py. */
interface Case {
  file: string;
  size: [number, number];
  /** Null where Pillow refuses the file. */
  rgb: string | null;
}

const cases: Record<string, Case> = JSON.parse(
  Deno.readTextFileSync(new URL("./fixtures/decoding.json", import.meta.url)),
);
const file = (name: string) => Uint8Array.fromBase64(cases[name].file);

for (const format of ["jpeg", "cmyk|ycck", "png", "webp"]) {
  const names = Object.keys(cases).filter((name) => new RegExp(`^(${format})`).test(name));
  Deno.test(`${format}: Pillow's pixels, and what it refuses is refused`, () => {
    assert(names.length > 3);
    for (const name of names) {
      const { size, rgb } = cases[name];
      if (rgb === null) {
        assertThrows(() => decode(file(name)), Error, "truncated");
        continue;
      }
      const image = decode(file(name)), expected = Uint8Array.fromBase64(rgb);
      assertEquals([image.width, image.height, image.rgb.length], [...size, expected.length], name);
      const most = expected.reduce((most, v, i) => Math.max(most, Math.abs(v - image.rgb[i])), 0);
      assertEquals(most, 0, name);
    }
  });
}

Deno.test("16 bits keep the high byte, and the largest sample is known", () => {
  // Pillow, libpng and Chromium agree on color; on gray libpng and Chromium (fixtures/decoding.py).
  const png = (colorType: number, samples: number[]) =>
    pngjs.PNG.sync.write(
      { width: 2, height: 1, data: Buffer.from(new Uint16Array(samples).buffer) },
      { bitDepth: 16, colorType, inputColorType: colorType, inputHasAlpha: false },
    );
  const color = decode(png(2, [0x01ff, 0x80ff, 0x7f80, 0xff00, 0x00ff, 0x4000]));
  assertEquals([...color.rgb], [1, 0x80, 0x7f, 0xff, 0, 0x40]);
  assertEquals(color.peak, 0xff00);
  assertEquals((decode(file("png rgb 8"))).peak, undefined);
});

Deno.test("what is cut short at any place, changed or another kind of file is refused", () => {
  for (const name of ["jpeg progressive", "ycck.jpg", "png rgb 16", "webp lossless alpha"]) {
    const bytes = file(name);
    // A PNG's end marker and checksums hold no pixels.
    const end = bytes.length - (name.startsWith("png") ? 25 : 0);
    for (let size = 0; size < end; size += 13) {
      assertThrows(() => decode(bytes.subarray(0, size)), Error);
    }
  }
  const flipped = file("png rgb 16");
  flipped[flipped.length - 20] ^= 4;
  assertThrows(() => decode(flipped), Error, "PNG");
  assertThrows(() => decode(new TextEncoder().encode("text")), Error, "neither JPEG");
  const gif = new TextEncoder().encode("GIF89a and so on");
  assertThrows(() => decode(gif), Error, "it is a GIF image: neither JPEG");
});

Deno.test("an image above the limit is refused by its header", () => {
  for (const name of ["jpeg progressive", "cmyk", "png rgb 8", "webp lossy", "webp lossy alpha"]) {
    const [width, height] = cases[name].size, pixels = width * height;
    assertEquals((decode(file(name), pixels)).width, width);
    const error = assertThrows(() => decode(file(name), pixels - 1), Error, "pixels, more");
    assert(error.message.includes(`${width} x ${height}`), error.message);
    // The header is enough: nothing is wrong with what follows it.
    const header = file(name).fill(0, -20, -12);
    assertThrows(() => decode(header, 1), Error, "pixels, more");
  }
});

Deno.test("an interlaced PNG that inflates to more than its header says is refused", () => {
  const chunk = (kind: string, body: Uint8Array) => {
    const typed = Buffer.concat([Buffer.from(kind), body]), frame = Buffer.alloc(8);
    frame.writeUInt32BE(body.length);
    frame.writeUInt32BE(crc32(typed), 4);
    return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
  };
  const png = (size: number) =>
    Buffer.concat([
      Buffer.from("89504e470d0a1a0a", "hex"),
      chunk("IHDR", Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 1])), // 2 x 2, gray, Adam7
      chunk("IDAT", deflateSync(Buffer.alloc(size))),
      chunk("IEND", Buffer.alloc(0)),
    ]);
  assertEquals(decode(png(2 + 2 + 3)).rgb, new Uint8Array(12));
  assertThrows(() => decode(png(30_000_000)), Error, "larger than");
});

Deno.test("a JPEG of more than 100 scans is refused by its header", () => {
  const bytes = file("jpeg gray"),
    scan = bytes.findLastIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xda);
  const withScans = (count: number) => {
    const scans = Array<Uint8Array>(count).fill(bytes.subarray(scan, -2));
    return Buffer.concat([bytes.subarray(0, scan), ...scans, bytes.subarray(-2)]);
  };
  assertEquals(readHeader(withScans(100)), readHeader(bytes));
  assertThrows(() => decode(withScans(101)), Error, "damaged JPEG (more than 100 scans)");
});

Deno.test("refused files do not wear the decoders out", () => {
  for (const name of ["jpeg progressive", "cmyk", "webp lossy"]) {
    const good = file(name), expected = decode(good).rgb;
    let refused = 0;
    for (let i = 0; i < 150; i++) {
      const bytes = good.slice();
      for (let k = 0; k < 6; k++) {
        const at = 20 + (Math.imul(i * 6 + k + 1, 0x9e3779b1) >>> 0) % (bytes.length - 20);
        bytes[at] = i * 31 + k * 77;
      }
      try {
        decode(bytes, 1e4);
      } catch {
        refused += 1;
        assertEquals(decode(good).rgb, expected);
      }
    }
    assert(refused > 20, `${name}: only ${refused} of 150 refused: the test tests nothing`);
  }
});

Deno.test("the header of a JPEG tells its bits a sample", () => {
  const bytes = file(Object.keys(cases).find((name) => /^jpeg/.test(name))!);
  assertEquals(readHeader(bytes).depth, 8);
  const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
  assert(frame > 0);
  bytes[frame + 4] = 12;
  assertEquals(readHeader(bytes).depth, 12);
});
