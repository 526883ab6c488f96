import { assert, assertEquals } from "@std/assert";
import { Balance } from "./balance.ts";

/** What is told of losses of D that stay for 20,000 images, at 1,000 of them each. */
function told(loss: string, dReal: number, dFake: number): (string | undefined)[] {
  const balance = new Balance(loss);
  return Array.from({ length: 21 }, (_, i) => balance.read(1000 * i, { dReal, dFake, g: 1 }));
}

Deno.test("D that wins or loses is told of when it has done so for long", () => {
  const won = told("bce", 1e-3, 2e-3), lost = told("hinge", 4, 5);
  assertEquals(won.findIndex((text) => text !== undefined), 10);
  assert(won[20]!.startsWith("D has told all images apart"));
  assert(lost[9] === undefined && lost[10]!.startsWith("D has been wrong"));
});

Deno.test("networks in balance, and losses without a measure of it, are left alone", () => {
  for (const [loss, dReal, dFake] of [["bce", 0.69, 0.69], ["lsgan", 0.2, 0.3], ["wgan", -90, 1]]) {
    const texts = told(String(loss), Number(dReal), Number(dFake));
    assertEquals(texts.filter((text) => text !== undefined), [], String(loss));
  }
});

Deno.test("D has won below a hundredth of chance, and lost above three times of it", () => {
  const chance = { bce: 2 * Math.LN2, ragan: 2 * Math.LN2, rsgan: Math.LN2, lsgan: 0.5, hinge: 2 };
  for (const [loss, whole] of Object.entries({ ...chance, rahinge: 2 })) {
    const isTold = (share: number) =>
      told(loss, share * whole, 0).some((text) => text !== undefined);
    assertEquals([0.0099, 0.0101, 2.99, 3.01].map(isTold), [true, false, false, true], loss);
  }
});

Deno.test("a while of balance begins the count anew", () => {
  const balance = new Balance("bce"),
    at = (images: number, x: number) => balance.read(images, { dReal: x, dFake: x, g: 1 });
  assertEquals([at(0, 0), at(9000, 0), at(9500, 0.7), at(10_500, 0), at(20_000, 0)], [
    ...new Array(5).fill(undefined),
  ]);
  assert(at(20_500, 0) !== undefined);
});
