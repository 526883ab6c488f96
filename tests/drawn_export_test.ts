/** Generators of drawn widths, exported as ONNX, compute the images that they make here. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { imageChannels } from "../data/image.ts";
import { saveOnnx } from "../export/save.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { dcgan } from "../train/dcgan.ts";
import { pggan } from "../train/pggan.ts";
import { r3gan } from "../train/r3gan.ts";
import { sagan } from "../train/sagan.ts";
import { drawn } from "./drawn_cases.ts";
import { caseOf, N } from "./exported.ts";
import { computeOnnx } from "./onnx_reader.ts";
import { assertClose, inFolder } from "./support.ts";
await openGpu();

const generators = fc.record({
  recipe: fc.constantFrom(dcgan, sagan, pggan, r3gan),
  resolution: fc.constantFrom(8, 16),
  nz: fc.integer({ min: 1, max: 12 }),
  ngf: fc.integer({ min: 1, max: 3 }).map((n) => 8 * n), // attention takes an eighth
  fmapMax: fc.constantFrom(16, 32),
  channels: fc.constantFrom("gray", "rgb", "rgba"),
  conditional: fc.boolean(),
  residual: fc.boolean(), // of SAGAN
});

drawn(
  "ONNX models compute what drawn generators make",
  generators,
  (asked) =>
    inFolder(async (folder) => {
      const { recipe, resolution, conditional, ...sizes } = asked, path = `${folder}/model.onnx`;
      const more = {
        ...{ ...sizes, resolution, fmapBase: 64, attention: `${resolution / 2}` },
        ...conditional && { conditional, classes: "cat,dog,none" },
      };
      const made = await caseOf({ name: "drawn", recipe, preset: "default", more });
      await saveOnnx(made, path);
      const { dims, data } = computeOnnx(await Deno.readFile(path), made.latents, N);
      assertEquals(dims, [N, imageChannels(made.options), resolution, resolution]);
      assertClose("images", data, made.expected, { atol: 2e-4 });
    }),
  4,
);
