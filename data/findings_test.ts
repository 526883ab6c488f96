import { assertEquals } from "@std/assert";
import { Findings } from "./findings.ts";

/** An image of one color, made of a part of that side. */
function image(color: number, side = 64, peak?: number) {
  const pixels = new Uint8Array(48).fill(color);
  return peak === undefined ? { pixels, side } : { pixels, side, peak };
}

function notesOf(images: ReturnType<typeof image>[]): string[] {
  const findings = new Findings(64);
  for (const one of images) findings.add(one);
  return findings.notes();
}

const many = Array.from({ length: 100 }, (_, i) => image(i));

Deno.test("many different images are no finding", () => {
  assertEquals(notesOf(many), []);
  assertEquals(notesOf([...many, ...many.slice(0, 10)]), []);
  assertEquals(notesOf([]), []);
});

Deno.test("few distinct images are told", () => {
  const told = (number: string) => `Only ${number}: the generator can learn them by heart`;
  assertEquals(notesOf([image(1)]), [told("1 distinct image")]);
  assertEquals(notesOf(many.map(() => image(0))), [told("1 distinct image among 100")]);
  assertEquals(notesOf([...many, ...many]), [told("100 distinct images among 200")]);
  assertEquals(notesOf(many.slice(0, 15)), [told("15 distinct images")]);
});

Deno.test("enlarged images are told, and the largest factor", () => {
  const images = [...many, image(200, 48), image(201, 8), image(202, 63)];
  assertEquals(notesOf(images), [
    "3 of 103 images are smaller than 64 x 64 pixels: enlarged up to 8 times",
  ]);
});

Deno.test("PNG of 16 bits that use 14 or fewer are told", () => {
  const dark = (peak: number) => notesOf([...many, image(200, 64, 9), image(201, 64, peak)]);
  const words = "are nearly black: multiply the samples by";
  assertEquals(dark(4095), [
    `2 PNG of 16 bits use 12 of them (largest sample 4095) and ${words} 16 first`,
  ]);
  assertEquals(dark(4096), [
    `2 PNG of 16 bits use 13 of them (largest sample 4096) and ${words} 8 first`,
  ]);
  assertEquals(dark(0x4000), []);
  assertEquals(dark(0xffff), []);
});
