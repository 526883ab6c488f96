import { assertEquals } from "@std/assert";
import { labelOf, metricOf } from "./registry.ts";

Deno.test("only features other than the 2048, and no logits, are part of a metric's name", () => {
  const named = (name: string) =>
    ["2048", "768"].map((feature) => labelOf(metricOf(name)!, feature));
  assertEquals(named("fid"), ["FID", "FID-768"]);
  const [score, same] = named("is");
  assertEquals(score, same);
  assertEquals(metricOf("nothing"), undefined);
});
