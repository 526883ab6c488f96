import { assertEquals } from "@std/assert";
import { fit } from "./fit.ts";

Deno.test("help: a second column is wrapped in its place, or below where there is no room", () => {
  const text = "Trains.\n\n  gan sample latest  makes images with a trained generator";
  assertEquals(fit(text, 80), text);
  assertEquals(
    fit(text, 50),
    "Trains.\n\n" +
      "  gan sample latest  makes images with a trained\n" +
      "                     generator",
  );
  assertEquals(
    fit(text, 30),
    "Trains.\n\n" +
      "  gan sample latest\n" +
      "      makes images with a\n" +
      "      trained generator",
  );
});

Deno.test("help: a sentence keeps its indent, a word too long its line", () => {
  assertEquals(fit("  one two three four", 12), "  one two\n  three four");
  assertEquals(fit("to /a/very/long/path here", 10), "to\n/a/very/long/path\nhere");
});
