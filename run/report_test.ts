import { createHash } from "node:crypto";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { chartsOf, writeReport } from "./report.ts";

Deno.test("reports become charts by what they are of, with means where there are many", () => {
  const few = chartsOf([
    { images: 1000, time: 1, dReal: 1, dFake: 2, g: 3 },
    { images: 2000, time: 2, dReal: 4, dFake: 5, g: 6, "gamma/G": 0.5, "gamma/D": 0.25 },
    { images: 2000, time: 3, "FID-768": 9 },
  ]);
  assertEquals(few, [
    {
      title: "Losses",
      x: [1, 2],
      curves: [
        { label: "D, real", y: [1, 4] },
        { label: "D, fake", y: [2, 5] },
        { label: "G", y: [3, 6] },
      ],
    },
    {
      title: "Attention's share, gamma",
      x: [2],
      curves: [{ label: "G", y: [0.5] }, { label: "D", y: [0.25] }],
    },
    { title: "FID-768", x: [2], curves: [{ label: "FID-768", y: [9] }] },
  ]);
  const [many] = chartsOf(
    Array.from({ length: 1001 }, (_, i) => ({ images: 1000 * (i + 1), g: i % 3 })),
  );
  assertEquals(many.x.length, 334);
  assertEquals(many.x.slice(-2), [999, 1001]);
  assert(many.curves[0].y.slice(0, -1).every((y) => y === 1));
});

Deno.test("the page holds the run, and nothing in it ends its script early", async () => {
  const run = join(await Deno.makeTempDir(), "00007-test");
  await Deno.mkdir(run);
  try {
    const options = { recipe: "sagan", preset: "small", resolution: 32, data: "</script>$&" };
    await Deno.writeTextFile(join(run, "stats.jsonl"), '{"images":5000,"g":0.5}\n');
    for (const name of ["fakes000005.png", "fakes1000000.png", "reals.png"]) {
      await Deno.writeFile(join(run, name), new Uint8Array(1));
    }
    const page = await Deno.readTextFile(await writeReport(run, options));
    const [, json] = /id="data">(.*?)<\/script>/.exec(page)!;
    const data = JSON.parse(json);
    assertEquals(data.options, options);
    assertEquals(data.summary, "sagan, preset small, 32 px, 5,000 images shown");
    assertEquals(data.grids, [
      { file: "fakes000005.png", images: 5000 },
      { file: "fakes1000000.png", images: 1_000_000_000 },
    ]);
    assertStringIncludes(page, "var uPlot=");
    assert(!/(?:src|href)=/.test(page), "the page must load nothing");
    // Only its own two scripts run, whatever is put into it.
    const [, allowed] = /script-src ([^;"]*)"/.exec(page)!;
    const scripts = [
      ...page.matchAll(/<script(?! type="application\/json")[^>]*>([^]*?)<\/script>/g),
    ];
    const hashes = scripts.map(([, code]) =>
      `'sha256-${createHash("sha256").update(code).digest("base64")}'`
    );
    assertEquals([hashes.length, allowed], [2, hashes.join(" ")]);
  } finally {
    await Deno.remove(join(run, ".."), { recursive: true });
  }
});
