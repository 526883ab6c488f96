import { assertEquals } from "@std/assert";
import { teller } from "./teller.ts";

/** Tells of 1,000 images, 10 a second; returns what was written. */
function told(live: boolean, seconds: number): string[] {
  const texts: string[] = [];
  let ms = 0;
  const tell = teller("images", 1000, { live, now: () => ms, write: (text) => texts.push(text) });
  for (; ms <= 1000 * seconds; ms += 100) tell(ms / 100);
  return texts;
}

Deno.test("a log has a line every ten seconds, and none of what is short", () => {
  assertEquals(told(false, 25), [
    "100 of 1000 images, 10.0 images/s, 1m 30s left\n",
    "200 of 1000 images, 10.0 images/s, 1m 20s left\n",
  ]);
  assertEquals(told(false, 5), []);
});

Deno.test("a terminal has one line, which ends", () => {
  const texts = told(true, 100);
  assertEquals(texts[0], "\r3 of 1000 images, 10.0 images/s, 1m 40s left\x1b[K");
  assertEquals(texts.at(-1), "\r1000 of 1000 images, 10.0 images/s, 0s left\x1b[K\n");
});
