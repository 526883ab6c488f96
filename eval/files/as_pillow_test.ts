import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodePng } from "../../data/png.ts";
import { bytes, entry, names } from "../../tests/conventions_fixture.ts";
import { decodeAsPillow } from "./as_pillow.ts";

const pngs = names.filter((name) => /^png\/[^/]+$/.test(name));

for (const name of pngs) {
  Deno.test(`the pixels of ${name} are Pillow's`, () => {
    const { rgb, width, height, kind, alpha, sixteenBits } = decodeAsPillow(bytes(name));
    assertEquals([height, width, 3], entry(`${name}/rgb`).shape);
    assertEquals(rgb, bytes(`${name}/rgb`));
    assertEquals([kind, alpha, sixteenBits], [
      "PNG",
      /alpha|transparent/.test(name),
      name.endsWith("16"),
    ]);
  });
}

Deno.test("a plain PNG stays what it is, a damaged one is refused", () => {
  assert(pngs.length === 8);
  const rgb = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => 7 * i);
  const png = encodePng({ width: 4, height: 3, rgb });
  const found = decodeAsPillow(png);
  assertEquals([found.rgb, found.alpha, found.sixteenBits], [rgb, false, false]);
  assertThrows(() => decodeAsPillow(png.subarray(0, 40)), Error);
  assertThrows(() => decodeAsPillow(bytes("png/alpha16").subarray(0, 60)), Error, "PNG");
  assertThrows(() => decodeAsPillow(Uint8Array.of(1, 2, 3)), Error);
});

Deno.test("a JPEG's orientation is ignored", async () => {
  const files = new URL("../../data/fixtures/", import.meta.url);
  const names = [...Deno.readDirSync(files)].map(({ name }) => name).filter((n) =>
    /jpe?g$/.test(n)
  );
  assert(names.length > 0);
  const jpeg = await Deno.readFile(new URL(names.sort()[0], files));
  const plain = decodeAsPillow(jpeg);
  // An Exif segment with orientation 6, a quarter turn: its one entry is tag 0x112.
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
  exif.push(0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0);
  const segment = [0xff, 0xe1, 0, exif.length + 2, ...exif];
  const turned = Uint8Array.from([0xff, 0xd8, ...segment, ...jpeg.subarray(2)]);
  const { width, height, rgb, kind } = decodeAsPillow(turned);
  assertEquals([width, height, kind], [plain.width, plain.height, "JPEG"]);
  assertEquals(rgb, plain.rgb);
});
