/** docs/results.md and its chart are made from bench/results.jsonl, and are not out of date. */
import { assert, assertEquals } from "@std/assert";
import { chart, measurements, pageWith, qualityTable, speedTables } from "../bench/results.ts";

/** Without the alignment that the formatter adds to tables. */
const plain = (text: string) => text.replace(/ +/g, " ").replace(/-{3,}/g, "---");
const docs = (name: string) => Deno.readTextFile(new URL(`../docs/${name}`, import.meta.url));

Deno.test("the page of results is made from the measurements: deno task results", async () => {
  const lines = await measurements(), page = await docs("results.md");
  assertEquals(plain(pageWith(page, lines)), plain(page));
  assertEquals(chart(lines.filter((line) => line.kind === "speed")), await docs("speed.svg"));
});

Deno.test("of two measurements of one job the newer counts, and a ratio above 1 is ours", () => {
  const line = { kind: "speed", device: "d", commit: "c", job: "j", batch: 1, peer: "p" } as const;
  const table = speedTables([
    { ...line, date: "2026-01-02", ms: 2, peer_ms: 8 },
    { ...line, date: "2026-01-01", ms: 2, peer_ms: 1 },
  ]);
  assert(table.includes("| j | 2026-01-02 | 1 | 2 |  | 4 |"), table);
});

Deno.test("only the distance of 2048 features is called FID", () => {
  const line = {
    kind: "quality",
    date: "",
    device: "d",
    system: "s",
    options: "",
    data: "x",
  } as const;
  const counts = { images: 1, distance: 1, made: 1, real: 1 };
  const table = qualityTable([{ ...line, ...counts, feature: 768 }, {
    ...line,
    ...counts,
    feature: 2048,
  }]);
  assert(table.includes("| FID-768 |") && table.includes("| FID |"), table);
});
