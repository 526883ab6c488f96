import { assertEquals } from "@std/assert";
import { closest } from "./closest.ts";

Deno.test("what was meant is the name of the fewest edits, then one that begins with the word", () => {
  const names = ["train", "sample", "eval", "thesis"];
  // A letter too many, too few, replaced; two swapped.
  for (const word of ["traiin", "trin", "trajn", "trian"]) {
    assertEquals(closest(word, names), "train");
  }
  // Two edits of four letters are too many; a swap is one, at either end, too.
  assertEquals([closest("aevl", names), closest("evla", names)], [undefined, "eval"]);
  assertEquals([closest("veal", names), closest("vela", names)], ["eval", undefined]);
  assertEquals([closest("th", names), closest("t", names)], ["thesis", undefined]);
  // Within a name only what begins a word of it.
  assertEquals([closest("amp", names), closest("every", ["eval-every"])], [
    undefined,
    "eval-every",
  ]);
  assertEquals(closest("", names), undefined);
});

Deno.test("whole parts of a name count for more than edits", () => {
  const names = ["l1", "lr-g", "lr-d", "batch", "beta1", "00001-dcgan-faces-16"];
  assertEquals(closest("lr", names), "lr-g");
  assertEquals(closest("batch-size", names), "batch");
  assertEquals(closest("00001-dcgan", names), "00001-dcgan-faces-16");
  assertEquals(closest("-", names), undefined);
});
