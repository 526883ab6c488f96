import { assert, assertEquals } from "@std/assert";
import { conventionsOf, type Tool } from "../eval/conventions.ts";
import { newSurvey, type Survey } from "../eval/survey.ts";
import { aboutOf, type Noted, notesOf, textOf } from "./eval_report.ts";
import type { Side } from "./sides.ts";

function side(name: string, survey: Partial<Survey>): Side {
  return { name, about: { dataset: name }, survey: { ...newSurvey(), ...survey } };
}
const square = { sizes: { "64 x 64": 900 } };

function notes(real: Side, fake: Side, more: Partial<Noted> & { tool?: Tool } = {}): string[] {
  const { tool = "pytorch-fid", ...rest } = more;
  const result = { n_real: 900, n_fake: 900, dimension: 768 };
  const like = conventionsOf(tool);
  return notesOf({
    metric: "fid",
    feature: "768",
    like,
    named: false,
    real,
    fake,
    result,
    ...rest,
  });
}

Deno.test("nothing is said of sets that are alike", () => {
  assertEquals(notes(side("a", square), side("b", square)), []);
  assertEquals(notes(side("a", { ...square, jpeg: 900 }), side("b", { ...square, jpeg: 899 })), []);
});

Deno.test("each difference is one line with the size of its effect", () => {
  const one = (real: Side, fake: Side, expected: RegExp) => {
    const found = notes(real, fake);
    assertEquals(found.length, 1, found.join("\n"));
    assert(expected.test(found[0]), found[0]);
  };
  one(side("a", { ...square, jpeg: 900 }), side("b", square), /real images are JPEG.*0\.04.*0\.16/);
  one(
    side("a", square),
    side("b", { ...square, jpeg: 900 }),
    /fakes are JPEG, real images are not/,
  );
  one(
    side("a", square),
    side("b", { sizes: { "89 x 89": 9 } }),
    /are 64 x 64, fakes 89 x 89: .*FID/,
  );
  const mixed = { sizes: { "12 x 12": 1, "64 x 64": 899 } };
  one(
    side("a", mixed),
    side("b", square),
    /a has images of 2 sizes, 64 x 64 \(899\) 12 x 12 \(1\)/,
  );
  one(
    side("a", square),
    side("b", { ...square, alpha: 3 }),
    /^alpha in 3 of b's images is dropped/,
  );
  one(side("a", { ...square, sixteenBits: 1 }), side("b", square), /^16 bits in 1 of a's images/);
});

Deno.test("statistics against images that are not square", () => {
  const { about, name } = side("s.npz", {});
  const covariance = { rows: 1, columns: 1, data: Float64Array.of(1) };
  const statistics = { count: 900, mean: Float64Array.of(0), covariance };
  const found = notes({ about, name, statistics }, side("b", { sizes: { "89 x 109": 900 } }));
  assertEquals(found.length, 1);
  assert(/b has images of 89 x 109, which are squashed: if s\.npz/.test(found[0]), found[0]);
});

Deno.test("few images, early features and a tool's own conditions", () => {
  const sides = [side("a", square), side("b", square)] as const;
  const few = { n_real: 900, n_fake: 500, dimension: 768 };
  assert(/^500 images are fewer than 769/.test(notes(...sides, { result: few })[0]));
  assert(/^FID-64 depends on resizing/.test(notes(...sides, { feature: "64" })[0]));
  const stylegan = notes(...sides, { tool: "stylegan3", named: true });
  assert(/on equal features only/.test(stylegan[0]));
  assertEquals(notes(...sides, { tool: "torch-fidelity", named: true }), []);
  assertEquals(notes(...sides, { tool: "torch-fidelity", named: true, metric: "pr" }).length, 1);
});

Deno.test("what is said of a side: its size where it has one", () => {
  assertEquals(aboutOf(side("a", square)), {
    dataset: "a",
    resolution: 64,
    sizes: { "64 x 64": 900 },
  });
  assertEquals("resolution" in aboutOf(side("a", { sizes: { "8 x 9": 1 } })), false);
});

Deno.test("the report begins with the number and its floor", () => {
  const rest = { feature: "768", fake: {}, weights: { file: "w", sha256: "00" }, notes: ["so"] };
  const fid = { ...rest, metric: "FID-768", value: 1.5, n_real: 1000, n_fake: 500, real: {} };
  const said = (floor: unknown) => textOf({ ...fid, floor })[1];
  assertEquals(textOf({ ...fid, floor: null })[0], "FID-768 1.50000");
  assert(said({ value: 0.25, n: 500, from: "data" }).includes("0.2500: these real images"));
  assert(
    said({ value: 0.21, n: 500, from: "faces" }).includes("0.21 at 500 images per side, for faces"),
  );
  assert(said(null).includes("twice as many real images"));
  assertEquals(textOf({ ...fid, floor: null }).at(-1), "  note     so");
  const kid = { ...rest, metric: "KID", value: 0.5, subsets: 1, size: 9, draws: "RandomState(0)" };
  assertEquals(textOf(kid)[0], "KID 0.500000");
  assertEquals(textOf({ ...kid, deviation: 0.25 })[0], "KID 0.500000 +- 0.250000");
});
