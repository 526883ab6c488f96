import { duration } from "../train/duration.ts";
import { isWideTerminal, Rate } from "../run/progress.ts";

const LIVE_MS = 250, LINES_MS = 10_000;

/**
 * Tells on stderr how far something is that may take long: on a terminal in one line, else in a line
 * every so many seconds.
 *
 * @param what Things that are counted, e.g. `images`.
 * @param total How many there are.
 * @returns What is told how many are done.
 */
export function teller(
  what: string,
  total: number,
  {
    live = isWideTerminal(Deno.stderr),
    now = () => performance.now(),
    write = (text: string): unknown => Deno.stderr.writeSync(new TextEncoder().encode(text)),
  } = {},
): (done: number) => void {
  const rate = new Rate(), every = live ? LIVE_MS : LINES_MS;
  let told = now(), shown = false;
  rate.read(0, told / 1000);
  return (done) => {
    const time = now(), speed = rate.read(done, time / 1000), last = live && shown && done >= total;
    if (time - told < every && !last) return;
    told = time;
    shown = true;
    const left = speed
      ? `, ${speed.toFixed(1)} ${what}/s, ${duration((total - done) / speed)} left`
      : "";
    const line = `${done} of ${total} ${what}${left}`;
    write(live ? `\r${line}\x1b[K${done >= total ? "\n" : ""}` : `${line}\n`);
  };
}
