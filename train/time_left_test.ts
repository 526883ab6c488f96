import { assertEquals } from "@std/assert";
import { type PhaseSpeed, secondsLeft } from "./time_left.ts";

const phase = (from: number, images: number, imagesPerSecond: number): PhaseSpeed => ({
  ...{ resolution: 4, fading: false, from, images, imagesPerSecond },
});
const PHASES = [phase(0, 1000, 100), phase(1000, 1000, 10), phase(2000, 500, 1)];

Deno.test("the time left of a growing run is that of its phases, not of the present rate", () => {
  assertEquals(secondsLeft(PHASES, 0, 100), 10 + 100 + 500);
  assertEquals(secondsLeft(PHASES, 500, 100), 5 + 100 + 500);
  assertEquals(secondsLeft(PHASES, 1500, 10), 50 + 500);
});

Deno.test("it is scaled by what is measured of the present phase", () => {
  assertEquals(secondsLeft(PHASES, 500, 50), 2 * (5 + 100 + 500));
  assertEquals(secondsLeft(PHASES, 2000, 2), 250);
});

Deno.test("it ends at 0, and begins where a resumed run does", () => {
  assertEquals(secondsLeft(PHASES, 2600, 1), 0);
  assertEquals(secondsLeft([phase(1500, 500, 10), PHASES[2]], 1500, 10), 50 + 500);
});
