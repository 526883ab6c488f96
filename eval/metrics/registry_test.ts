import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CheckpointError } from "../../io/errors.ts";
import { conventionsOf } from "../conventions.ts";
import { distinct } from "../distinct.ts";
import { EvalError } from "../errors.ts";
import { weightsOf } from "../files/weights.ts";
import { ctScore } from "./ct_score.ts";
import { labelOf, metricOf } from "./registry.ts";
import { openGpu } from "../../gpu/engines/deno.ts";

await openGpu();

Deno.test("only features other than the 2048, and no logits, are part of a metric's name", () => {
  const named = (name: string) =>
    ["2048", "768"].map((feature) => labelOf(metricOf(name)!, feature));
  assertEquals(named("fid"), ["FID", "FID-768"]);
  const [score, same] = named("is");
  assertEquals(score, same);
  assertEquals(metricOf("nothing"), undefined);
});

Deno.test("the Inception Score has 10 splits, and density tells its k where a tool has it", async () => {
  const like = conventionsOf("pytorch-fid"), names = { real: "reals", fake: "fakes" };
  const rows = (count: number) => ({
    ...{ count, dimension: 2 },
    values: Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(i)),
  });
  const score = metricOf("is")!, pr = metricOf("pr")!;
  assertThrows(() => score.measure({ real: rows(9), fake: rows(9) }, { like, names }), EvalError);
  const { splits } = await score.measure({ real: rows(10), fake: rows(10) }, { like, names });
  assertEquals(splits, 10);
  const own = await pr.measure({ real: rows(9), fake: rows(9) }, { like, names });
  assertEquals(["density" in own, "density_k" in own], [true, true]);
  // It has precision and recall alone.
  const other = conventionsOf("torch-fidelity");
  const theirs = await pr.measure({ real: rows(9), fake: rows(9) }, { like: other, names });
  assertEquals(["density" in theirs, "density_k" in theirs], [false, false]);
  // torch_fidelity/defaults.py, 0.3.0
  assertEquals(other.kid, { subsets: 100, size: 1000, seed: 2020, refuses: true });
});

Deno.test("C_T scores a cell of one training image, and needs one", async () => {
  // Two cells, at 0 and at 10, with more than 20 fakes each.
  const rows = (values: number[]) => ({
    ...{ count: values.length, dimension: 1 },
    values: Float32Array.from(values),
  });
  const near = (place: number) => Array.from({ length: 21 }, (_, i) => place + i / 100);
  const fake = rows([...near(0), ...near(10)]),
    heldOut = rows([0.5, 10.5]),
    centres = rows([0, 10]);
  const score = (real: number[]) => ctScore({ real: rows(real), fake, heldOut }, centres);
  assert(Number.isFinite(await score([0.1, 0.2, 10.1])));
  await assertRejects(() => score([0.1, 0.2]), EvalError, "no training or held-out image");
});

Deno.test("equal rows are merged, wherever they are", () => {
  const values = Float32Array.of(1, 2, 3, 4, 3, 4, 1, 2, 3, 4);
  const { rows, copies } = distinct({ count: 5, dimension: 2, values });
  assertEquals([...rows.values], [1, 2, 3, 4]);
  assertEquals([...copies], [2, 3]);
});

Deno.test("weights that end early are told by their last layer", () => {
  const entry = { dtype: "F32" as const, shape: [1], data: new Float32Array(1) };
  const entries = new Map(["Mixed_5b.a", "Conv2d_1a_3x3.b"].map((name) => [name, entry]));
  const whole = weightsOf(entries, "a file");
  assertThrows(() => whole.dense("fc"), CheckpointError, "it goes as far as Mixed_5b");
});
