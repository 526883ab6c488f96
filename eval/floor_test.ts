import { assertAlmostEquals, assertEquals } from "@std/assert";
import { floorOfFaces } from "./floor.ts";

Deno.test("the floor of faces: as measured, between, and beyond", () => {
  assertEquals(floorOfFaces("768", 20), 1.058);
  assertAlmostEquals(floorOfFaces("768", 400)!, 0.256, 1e-12);
  assertAlmostEquals(floorOfFaces("768", 4000)!, 0.0256, 1e-12);
  assertAlmostEquals(floorOfFaces("768", Math.sqrt(100 * 200))!, Math.sqrt(0.603 * 0.408), 1e-12);
  assertEquals(floorOfFaces("768", 19), undefined);
  assertEquals(floorOfFaces("2048", 10_000), undefined);
});
