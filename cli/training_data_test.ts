import { assertEquals } from "@std/assert";
import { sizeNote } from "./training_data.ts";

Deno.test("how much room images take is told where it is much", () => {
  assertEquals(sizeNote(1000, 64, "runs/.cache"), undefined);
  // 3,600 x 512 x 512 x 3 bytes
  assertEquals(
    sizeNote(3600, 512, "runs/.cache"),
    "3600 images of 512 px take 2.6 GiB in memory and in runs/.cache",
  );
});
