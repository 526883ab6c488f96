/**
 * Tells a person, or a program, how far a run is.
 *
 * On a terminal one line is written over and over; elsewhere (a log) a line now and then; with
 * `json` each report is an object on a line of its own.
 *
 * @module
 */

import { clipped, progressLine, type ProgressState } from "./progress_line.ts";
import { asTyped } from "./typed.ts";
import type { Drawing } from "./terminal_image.ts";

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
  #began: number | undefined;
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
    this.#began ??= now;
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
    const text = escaped(asTyped(line));
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
    if (this.#style === "json") return this.#write(JSON.stringify(state) + "\n");
    const told = { ...state, elapsed: (this.#now() - this.#began!) / 1000 };
    if (this.#style === "lines") this.#write(progressLine(told) + "\n");
    // In the last column some terminals go to the next line.
    else this.#write(`\r${progressLine(told, this.#width() - 1)}\x1b[K`);
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
