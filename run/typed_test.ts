import { assertEquals } from "@std/assert";
import { asTyped } from "./typed.ts";

Deno.test("hints name the program as the user called it", () => {
  const hint = "Stopped; go on with: gan train --resume runs/00001-gan faces";
  const before = Deno.env.get("GAN_COMMAND");
  try {
    Deno.env.delete("GAN_COMMAND");
    assertEquals(asTyped(hint), hint);
    Deno.env.set("GAN_COMMAND", "../$&/gan");
    assertEquals(
      asTyped(hint),
      "Stopped; go on with: ../$&/gan train --resume runs/00001-gan faces",
    );
    assertEquals(asTyped("gan: gan 0.2.0"), "gan: gan 0.2.0");
  } finally {
    if (before === undefined) Deno.env.delete("GAN_COMMAND");
    else Deno.env.set("GAN_COMMAND", before);
  }
});
