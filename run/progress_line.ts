import { duration } from "../train/duration.ts";

/** How far a run is, and how it goes. */
export interface ProgressState {
  /** Images shown. */
  readonly images: number;
  /** Images to show in all. */
  readonly total: number;
  /** Images a second. */
  readonly rate?: number | undefined;
  /** D's loss on real images. */
  readonly real?: number | undefined;
  /** D's loss on fakes. */
  readonly fake?: number | undefined;
  /** The generator's loss. */
  readonly lossG?: number | undefined;
  /** Where a growing run is, e.g. `fading in 64 px 0.25`. */
  readonly phase?: string | undefined;
  /** Seconds since the first report. */
  readonly elapsed?: number | undefined;
  /** Seconds left; without it all images take as long as those before. */
  readonly left?: number | undefined;
  /** What else is worth a word. */
  readonly note?: string | undefined;
}

/** Three digits or so, without an exponent. */
function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** Thousands of images, with as many decimals as a run of `total` needs to be seen moving. */
function kimg(images: number, total: number): string {
  return (images / 1000).toFixed(total < 100_000 ? 2 : total < 10_000_000 ? 1 : 0);
}

const CELLS = 8, WIDE = 56; // columns that have room for a bar

function bar(share: number): string {
  const full = Math.floor(CELLS * share);
  return "█".repeat(full) + "░".repeat(CELLS - full) + " ";
}

/**
 * The line that tells how far a run is, of 60 columns with a bar and both times.
 *
 * @param state What to tell; what it lacks is left out.
 * @param width Columns to fit in.
 * @returns Text of at most `width` characters, e.g.
 *   `12.8/200.0 kimg  6%  7m 34s left  412 img/s  D real 0.71 fake 0.28  G 1.62`.
 */
export function progressLine(state: ProgressState, width = Infinity): string {
  const { total, phase, rate, real, fake, lossG, note } = state;
  const images = Math.min(state.images, total); // the last batch goes beyond
  const share = total > 0 ? images / total : 1;
  const parts = [
    `${kimg(images, total)}/${kimg(total, total)} kimg`,
    `${width < WIDE || width === Infinity ? "" : bar(share)}${Math.floor(100 * share)}%`,
  ];
  if (rate !== undefined) {
    const { elapsed, left = (total - images) / rate } = state;
    const gone = elapsed === undefined ? "" : `${duration(elapsed)}, `;
    parts.push(`${gone}${duration(left)} left`);
  }
  if (phase) parts.push(phase);
  if (rate !== undefined) parts.push(`${short(rate)} img/s`);
  const answers = [["real", real], ["fake", fake]] as const;
  const known = answers.filter(([, value]) => value !== undefined);
  if (known.length > 0) {
    parts.push(`D ${known.map(([name, value]) => `${name} ${short(value!)}`).join(" ")}`);
  }
  if (lossG !== undefined) parts.push(`G ${short(lossG)}`);
  if (note) parts.push(note.replace(/\s+/g, " "));
  return clipped(parts.join("  "), width);
}

/** The text, cut to some columns. */
export function clipped(text: string, width: number): string {
  const line = Array.from(text);
  return line.length <= width ? text : line.slice(0, Math.max(0, width - 1)).join("") + "…";
}
