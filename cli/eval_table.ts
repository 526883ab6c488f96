/** The table of `gan eval all`. */
import type { Result } from "../eval/metrics/metric.ts";
import { METRICS } from "../eval/metrics/registry.ts";
import { circumstancesOf, said, waysOf } from "./eval_report.ts";

/**
 * The report as lines: a row for each number, with its floor and which way it improves; then how each
 * is defined, what was compared, and why others are missing.
 */
export function tableOf(report: Record<string, unknown>): string[] {
  const rows = report.metrics as readonly Result[];
  const found = rows.filter((row) => !("skipped" in row));
  const cells = [["", "value", "+-", "floor", "better"], ...found.flatMap(rowsOf)];
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const lines = cells.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ")
  );
  const floors = found.flatMap(({ floor }) => floor ? [floor as { n: number }] : []);
  lines.push(
    floors.length
      ? `floor: these real images against each other, ${
        floors[0].n
      } per side: a perfect generator's`
      : "floor: unknown; give twice as many real images as fakes to have it measured",
  );
  lines.push(
    "how each is made (by different definitions: compare a number with its own kind only)",
  );
  for (const row of found) {
    lines.push(`  ${row.metric}: ${row.as}${waysOf(row)}; ${row.source}`);
  }
  for (const { metric, skipped } of rows.filter((row) => "skipped" in row)) {
    lines.push(`  ${metric} is left out: ${skipped}`);
  }
  const most = (name: string) => Math.max(...found.map((row) => Number(row[name] ?? 0)));
  if (report.real) lines.push(`  real     ${most("n_real")} images: ${said(report.real)}`);
  lines.push(`  fake     ${most("n_fake")} images: ${said(report.fake)}`);
  if (report.heldOut) {
    lines.push(`  held out ${most("n_held_out")} images: ${said(report.heldOut)}`);
  }
  return [...lines, ...circumstancesOf(report)];
}

/** A row for each of a metric's numbers. */
function rowsOf(row: Result): string[][] {
  const name = String(row.metric), digits = (x: unknown) => x === undefined ? "" : shown(Number(x));
  const { numbers } = METRICS.find(({ label }) => name === label || name.startsWith(`${label}-`))!;
  const floor = row.floor as Record<string, unknown> | undefined;
  return Object.entries(numbers).filter(([key]) => key in row).map(([key, better]) => [
    key === "value" ? name : `${key} (${name})`,
    digits(row[key]),
    digits(row.deviation),
    digits(floor?.[key]),
    better,
  ]);
}

function shown(x: number): string {
  return x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential(3) : x.toPrecision(5);
}
