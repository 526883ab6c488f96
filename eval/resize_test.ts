import { assertEquals } from "@std/assert";
import { entry, images } from "../tests/conventions_fixture.ts";
import { assertClose } from "../tests/support.ts";
import { type Filter, resizeFloat } from "./resize.ts";

// Pillow's values are float32 on the scale of 0 to 255.
for (const name of ["grow", "shrink", "half"]) {
  for (const filter of ["bicubic", "box", "tensorflow"] satisfies Filter[]) {
    Deno.test(`${filter} is ${filter === "tensorflow" ? "torch-fidelity" : "Pillow"}'s: ${name}`, () => {
      const { shape: [height, width], data } = entry(`resize/${name}/${filter}`);
      const [image] = images(`resize/${name}`);
      const found = resizeFloat(image, [height, width], filter);
      const atol = filter === "tensorflow" ? 3e-5 : 1e-9; // it rounds each step to float32
      assertClose(filter, found, data as Float32Array, { rtol: 1e-6, atol });
    });
  }
}

Deno.test("an image of the wanted size stays as it is", () => {
  const [image] = images("resize/grow");
  for (const filter of ["bicubic", "box", "tensorflow"] satisfies Filter[]) {
    const found = resizeFloat(image, [image.height, image.width], filter);
    assertEquals([...found], [...image.rgb]);
  }
});

Deno.test("a pixel whose centre is on the edge of two boxes belongs to the first", () => {
  const rgb = Uint8Array.from([0, 10, 40, 90, 160, 250, 7, 77, 177].flatMap((v) => [v, v, v]));
  const found = resizeFloat({ width: 3, height: 3, rgb }, [2, 2], "box");
  // Pillow 9.4.0's: resize((2, 2), Image.BOX) in mode F
  assertEquals([...found].filter((_, i) => i % 3 === 0), [65, 145, 42, 177]);
});
