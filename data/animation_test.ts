import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { framesOf } from "../tests/apng_reader.ts";
import { drawn } from "../tests/drawn_cases.ts";
import { random } from "../tests/support.ts";
import { encodeAnimation } from "./animation.ts";
import { decode } from "./decode.ts";
import type { Image } from "./image.ts";

const frame = (n: number): Image => ({
  width: 7,
  height: 5,
  rgb: Uint8Array.from({ length: 105 }, (_, i) => (i * i * 3 + n * 50) % 256),
});

Deno.test("every frame comes back from an animated PNG, for as long as it was meant to be shown", () => {
  const frames = [frame(0), frame(1), frame(2)], file = encodeAnimation(frames, [40, 1000, 65_535]);
  assertEquals(decode(file), frames[0]); // for a program that knows no animations
  const shown = framesOf(file);
  assertEquals(shown.map(({ ms }) => ms), [40, 1000, 65_535]);
  assertEquals(shown.map(({ image }) => image), frames);
});

const samples = fc.record({
  size: fc.record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 9 }),
  }),
  ms: fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 5 }),
  seed: fc.nat(),
  isNoise: fc.boolean(),
});

drawn("frames of any size and number come back from an animated PNG", samples, (drawn) => {
  const { size: { width, height }, ms, seed, isNoise } = drawn, next = random(seed);
  const value = () => isNoise ? Math.floor(128 * (next() + 1)) : 7;
  const frames = ms.map(() => ({
    ...{ width, height },
    rgb: Uint8Array.from({ length: 3 * width * height }, value),
  }));
  const shown = framesOf(encodeAnimation(frames, ms));
  assertEquals(shown, frames.map((image, i) => ({ ms: ms[i], image })));
}, 40);

Deno.test("frames that are none, or of several sizes, are refused", () => {
  assertThrows(() => encodeAnimation([], 40), RangeError, "no frame");
  const wide = { width: 35, height: 1, rgb: frame(0).rgb };
  assertThrows(() => encodeAnimation([frame(0), wide], 40), RangeError, "7 x 5 and 35 x 1");
});
