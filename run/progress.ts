/**
 * Tells a person, or a program, how far a run is.
 *
 * On a terminal one line is written over and over; elsewhere (a log) a line now and then; with
 * `json` each report is an object on a line of its own.
 *
 * @module
 */

import { duration } from "../train/duration.ts";
import type { Drawing } from "./terminal_image.ts";

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
  /** Seconds left; without it all images take as long as those before. */
  readonly left?: number | undefined;
  /** What else is worth a word. */
  readonly note?: string | undefined;
}

/** A report, before the rate is known that images are shown at. */
export interface ProgressReport extends Omit<ProgressState, "left"> {
  /** Seconds left at a rate of images a second. */
  readonly secondsLeft?: ((rate: number) => number) | undefined;
}

/** How progress is shown. */
export type ProgressStyle = "live" | "lines" | "json";

/** Where and how to write; what is left out is the process's own. */
export interface ProgressOptions {
  /** By default `live` on a terminal, else `lines`. */
  readonly style?: ProgressStyle;
  /** Takes text to show. */
  readonly write?: (text: string) => void;
  /** Columns of the terminal. */
  readonly width?: () => number;
  /** Milliseconds, from any start. */
  readonly now?: () => number;
  /** Called when text can no longer be written, as its reader is gone; what follows is dropped. */
  readonly onLost?: () => void;
}

/** Milliseconds between two lines of a log, and between two changes of the live line. */
const LINES_EVERY = 10_000;
const LIVE_EVERY = 100;

/** Seconds after which a rate counts 1/e of what it did. */
const MEMORY = 20;

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

/**
 * The line that tells how far a run is.
 *
 * @param state What to tell; what it lacks is left out.
 * @param width Columns to fit in.
 * @returns Text of at most `width` characters, e.g.
 *   `12.8/200.0 kimg  6%  412 img/s  7m 34s left  D real 0.71 fake 0.28  G 1.62`.
 */
export function progressLine(state: ProgressState, width = Infinity): string {
  const { total, phase, rate, real, fake, lossG, note } = state;
  const images = Math.min(state.images, total); // the last batch goes beyond
  const parts = [
    `${kimg(images, total)}/${kimg(total, total)} kimg`,
    `${total > 0 ? Math.floor((100 * images) / total) : 100}%`,
  ];
  if (phase) parts.push(phase);
  if (rate !== undefined) {
    const { left = (total - images) / rate } = state;
    parts.push(`${short(rate)} img/s`, `${duration(left)} left`);
  }
  const answers = [["real", real], ["fake", fake]] as const;
  const known = answers.filter(([, value]) => value !== undefined);
  if (known.length > 0) {
    parts.push(`D ${known.map(([name, value]) => `${name} ${short(value!)}`).join(" ")}`);
  }
  if (lossG !== undefined) parts.push(`G ${short(lossG)}`);
  if (note) parts.push(note.replace(/\s+/g, " "));
  return clipped(parts.join("  "), width);
}

function clipped(text: string, width: number): string {
  const line = Array.from(text);
  return line.length <= width ? text : line.slice(0, Math.max(0, width - 1)).join("") + "…";
}

/** A rate that forgets: its mean over time is weighted towards the last {@linkcode MEMORY}. */
export class Rate {
  #last: { images: number; seconds: number } | undefined;
  #images = 0;
  #seconds = 0;

  /**
   * Takes a reading.
   *
   * @param images Images shown.
   * @param seconds When, from any start.
   * @returns Images a second; undefined until time has passed between two readings.
   */
  read(images: number, seconds: number): number | undefined {
    if (this.#last) {
      const passed = seconds - this.#last.seconds;
      const keep = Math.exp(-passed / MEMORY);
      this.#images = this.#images * keep + images - this.#last.images;
      this.#seconds = this.#seconds * keep + passed;
    }
    this.#last = { images, seconds };
    return this.#seconds > 0 ? this.#images / this.#seconds : undefined;
  }

  /** Leaves out the time until the next reading, which went into something else. */
  pause(): void {
    this.#last = undefined;
  }
}

/** Shows the progress of one run. */
export class Progress {
  readonly #style: ProgressStyle;
  readonly #writer: (text: string) => void;
  readonly #width: () => number;
  readonly #now: () => number;
  readonly #onLost: (() => void) | undefined;
  #lost = false;
  #rate = new Rate();
  #next = -Infinity;
  #latest: ProgressState | undefined;
  /** What is being done before the first report, on the live line. */
  #doing = "";
  #nextDoing = -Infinity;
  /** Lines of the images right above the live line. */
  #pictured = 0;
  #shown: ProgressState | undefined;

  /**
   * @param options Where and how to write.
   */
  constructor(options: ProgressOptions = {}) {
    this.#style = options.style ?? (isWideTerminal(Deno.stdout) ? "live" : "lines");
    this.#writer = options.write ?? writeOut;
    this.#width = options.width ?? terminalWidth;
    this.#now = options.now ?? (() => performance.now());
    this.#onLost = options.onLost;
  }

  /**
   * Takes a report, and shows it unless the last one was shown a moment ago. JSON leaves none out.
   *
   * @param report How far the run is; its rate, if it gives none, is measured here.
   */
  report({ secondsLeft, ...state }: ProgressReport): void {
    const now = this.#now();
    const rate = state.rate ?? this.#rate.read(state.images, now / 1000);
    const left = rate === undefined ? undefined : secondsLeft?.(rate);
    this.#latest = { ...state, rate, ...left !== undefined && { left } };
    if (this.#style !== "json" && now < this.#next) return;
    this.#next = now + (this.#style === "live" ? LIVE_EVERY : LINES_EVERY);
    this.#show();
  }

  /**
   * Says something that stays, above the live line.
   *
   * @param line What; names of files may hold what terminals take for commands, so that is escaped.
   */
  say(line: string): void {
    const text = escaped(line);
    this.#pictured = 0;
    if (this.#style === "json") return this.#write(JSON.stringify({ say: text }) + "\n");
    this.#write(this.#style === "live" ? `\r\x1b[K${text}\n` : `${text}\n`);
    if (this.#style !== "live") return;
    if (this.#shown) this.#show();
    else this.#write(this.#doing);
  }

  /** Shows images above the live line, in place of those before unless something was said since. */
  picture({ text, rows }: Drawing): void {
    if (this.#style !== "live") return;
    const back = this.#pictured > 0 ? `\x1b[${this.#pictured}A\x1b[J` : "";
    this.#write(`\r\x1b[K${back}${text}`);
    this.#pictured = rows;
    if (this.#shown) this.#show();
  }

  /** Shows what is being done before the first report, e.g. `Compiling 12 of 31 kernels`, in place of the last. */
  doing(what: string): void {
    const now = this.#now();
    if (this.#style === "json" || now < this.#nextDoing || this.#shown) return;
    this.#nextDoing = now + (this.#style === "live" ? LIVE_EVERY : LINES_EVERY);
    this.#doing = this.#style === "live" ? clipped(what, this.#width() - 1) : "";
    this.#write(this.#style === "live" ? `\r${this.#doing}\x1b[K` : `${what}\n`);
  }

  /** Leaves out of the rate what comes until the next report, e.g. a checkpoint's writing. */
  pause(): void {
    this.#rate.pause();
  }

  /** Begins to measure the rate anew: images take another time from now on. */
  restart(): void {
    this.#rate = new Rate();
  }

  /** Shows the last report, if it has not been, and ends the line. */
  finish(): void {
    if (this.#latest !== this.#shown) this.#show();
    if (this.#style === "live" && this.#shown) this.#write("\n");
    else if (this.#doing) this.#write("\r\x1b[K");
    this.#doing = "";
    this.#pictured = 0;
    this.#latest = this.#shown = undefined;
  }

  #write(text: string): void {
    if (this.#lost) return;
    try {
      this.#writer(text);
    } catch (error) {
      if (!this.#onLost) throw error;
      this.#lost = true;
      this.#onLost();
    }
  }

  #show(): void {
    const state = this.#shown = this.#latest!;
    this.#doing = "";
    if (this.#style === "json") this.#write(JSON.stringify(state) + "\n");
    else if (this.#style === "lines") this.#write(progressLine(state) + "\n");
    // In the last column some terminals go to the next line.
    else this.#write(`\r${progressLine(state, this.#width() - 1)}\x1b[K`);
  }
}

function writeOut(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 0;
  }
}

/**
 * Whether a line can be written over and over there. Launchers such as Open MPI's give every process a
 * terminal without columns, whose text goes to a log.
 */
export function isWideTerminal(
  stream: { readonly isTerminal: () => boolean },
  width: () => number = terminalWidth,
): boolean {
  return stream.isTerminal() && width() > 0;
}

/** A text for terminals: control characters are shown as `\x1b`, not obeyed. */
export function escaped(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => {
      const code = c.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}
