/**
 * Writes the tables of `docs/results.md` and the chart `docs/speed.svg` from `bench/results.jsonl`, one
 * measurement a line.
 *
 *     deno run -A bench/results.ts
 *
 * `bench/compare --record` adds to that file. Of each device, job and peer the newest measurement counts.
 *
 * @module
 */

/** Times of one job, ours and a peer's, taken in turn in one run. */
export interface Speed {
  readonly kind: "speed";
  readonly date: string;
  readonly device: string;
  readonly commit: string;
  readonly job: string;
  /** Images a step. */
  readonly batch: number;
  /** Least time of ours, in milliseconds. */
  readonly ms: number;
  readonly gflops?: number;
  readonly peer: string;
  /** Least time of the peer, in milliseconds. */
  readonly peer_ms: number;
}

/** How good the images of one training run are. */
export interface Quality {
  readonly kind: "quality";
  readonly date: string;
  readonly device: string;
  readonly system: string;
  readonly options: string;
  readonly data: string;
  /** Images shown in training. */
  readonly images: number;
  readonly minutes?: number;
  /** Dimensions of Inception's features: only the distance of 2048 is called FID. */
  readonly feature: number;
  /** Frechet distance. */
  readonly distance: number;
  /** Images made and real images compared. */
  readonly made: number;
  readonly real: number;
  readonly note?: string;
  /** A file of docs/, whose images were not chosen. */
  readonly grid?: string;
}

const FOLDER = new URL(".", import.meta.url), DOCS = new URL("../docs/", import.meta.url);

/** The newest line of each key. */
function newest<T extends { readonly date: string }>(
  lines: readonly T[],
  key: (line: T) => string,
) {
  const found = new Map<string, T>();
  for (const line of lines) {
    const known = found.get(key(line));
    if (!known || line.date >= known.date) found.set(key(line), line);
  }
  return [...found.values()];
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: number,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i < left ? "---" : "---:")), ...rows.map(line)]
    .join("\n");
}

/** Three digits that count. */
const digits = (value: number) => value >= 100 ? value.toFixed(0) : `${+value.toPrecision(3)}`;

/** One table a device: a job a row, a peer a column. */
export function speedTables(lines: readonly Speed[]): string {
  const latest = newest(lines, ({ device, job, peer }) => `${device}|${job}|${peer}`);
  const devices = [...new Set(latest.map(({ device }) => device))];
  return devices.map((device) => {
    const here = latest.filter((line) => line.device === device);
    const peers = [...new Set(here.map(({ peer }) => peer))];
    const rows = [...new Set(here.map(({ job }) => job))].map((job) => {
      const measured = here.filter((line) => line.job === job);
      const ours = measured.reduce((a, b) => b.date > a.date ? b : a);
      const cells = peers.map((peer) => {
        const line = here.find((line) => line.job === job && line.peer === peer);
        return line ? digits(line.peer_ms / line.ms) : "";
      });
      const rate = ours.gflops === undefined ? "" : digits(ours.gflops);
      return [job, ours.date, `${ours.batch}`, digits(ours.ms), rate, ...cells];
    });
    const head = ["job", "date", "batch", "ours, ms", "GFLOP/s", ...peers];
    return `### ${device}\n\n${table(head, rows, 2)}`;
  }).join("\n\n");
}

/** All runs, the best of each data set first. */
export function qualityTable(lines: readonly Quality[]): string {
  const rows = [...lines].sort((a, b) => a.data.localeCompare(b.data) || a.distance - b.distance)
    .map((line) => [
      line.data,
      `${line.system} \`${line.options}\``,
      [line.device, line.note].filter(Boolean).join("; "),
      line.images.toLocaleString("en"),
      line.minutes === undefined ? "" : `${line.minutes}`,
      `${line.made} : ${line.real}`,
      line.feature === 2048 ? "FID" : `FID-${line.feature}`,
      line.distance.toFixed(2),
    ]);
  const head = [
    "data",
    "run",
    "device",
    "images shown",
    "minutes",
    "made : real",
    "metric",
    "value",
  ];
  return table(head, rows, 3);
}

/** Bars of the peer's time over ours, on a logarithmic scale: to the right of 1 ours is faster. */
export function chart(lines: readonly Speed[]): string {
  const trainings = newest(
    lines.filter(({ job, peer }) => /gan-\d+$/.test(job) && /PyTorch|jax|TensorFlow/.test(peer)),
    ({ device, job, peer }) => `${device}|${job}|${peer}`,
  ).filter(({ peer }) => !peer.endsWith("1 thread"));
  const left = 390, width = 420, low = 0.1, high = 130;
  const at = (ratio: number) => left + width * Math.log(ratio / low) / Math.log(high / low);
  const parts: string[] = [];
  let y = 30, device = "";
  for (const line of trainings) {
    if (line.device !== device) {
      device = line.device;
      parts.push(`<text x="8" y="${y + 20}" font-weight="bold">${device}</text>`);
      y += 28;
    }
    const ratio = line.peer_ms / line.ms, x = Math.min(at(1), at(ratio));
    parts.push(
      `<text x="${left - 8}" y="${
        y + 12
      }" text-anchor="end">${line.job} against ${line.peer}</text>`,
      `<rect x="${x.toFixed(1)}" y="${y + 2}" width="${
        Math.abs(at(ratio) - at(1)).toFixed(1)
      }" height="12" fill="${ratio >= 1 ? "#0a7d4f" : "#c2571a"}"/>`,
      `<text x="${(at(Math.max(1, ratio)) + 5).toFixed(1)}" y="${y + 12}">${digits(ratio)}</text>`,
    );
    y += 18;
  }
  const ticks = [0.1, 0.3, 1, 3, 10, 30, 100].map((tick) =>
    `<line x1="${at(tick).toFixed(1)}" x2="${at(tick).toFixed(1)}" y1="24" y2="${y}" stroke="${
      tick === 1 ? "#555" : "#ddd"
    }"/><text x="${at(tick).toFixed(1)}" y="18" text-anchor="middle">${tick}</text>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 ${
    y + 12
  }" font-family="sans-serif"
  font-size="12"><title>Time of a training step, the peer's over ours</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="18">time of a step, the peer's over ours: right of 1, ours is faster</text>
${ticks.join("\n")}
${parts.join("\n")}
</svg>
`;
}

/** Both tables in the page's places for them. */
export function pageWith(page: string, lines: readonly (Speed | Quality)[]): string {
  const speed = lines.filter((line) => line.kind === "speed");
  const quality = lines.filter((line) => line.kind === "quality");
  return filled(filled(page, "quality", qualityTable(quality)), "speed", speedTables(speed));
}

/** All measurements. */
export async function measurements(): Promise<(Speed | Quality)[]> {
  const text = await Deno.readTextFile(new URL("results.jsonl", FOLDER));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** The page with what stands between `<!-- name -->` and `<!-- end -->` replaced. */
function filled(page: string, name: string, text: string): string {
  const begin = `<!-- ${name} -->`,
    from = page.indexOf(begin),
    to = page.indexOf("<!-- end -->", from);
  if (from < 0 || to < 0) throw new Error(`docs/results.md: there is no ${begin} ... <!-- end -->`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`;
}

if (import.meta.main) {
  const lines = await measurements(), path = new URL("results.md", DOCS);
  await Deno.writeTextFile(path, pageWith(await Deno.readTextFile(path), lines));
  const speed = lines.filter((line) => line.kind === "speed");
  await Deno.writeTextFile(new URL("speed.svg", DOCS), chart(speed));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path.pathname] }).output();
}
