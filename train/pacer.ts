import { submitted } from "../gpu/record.ts";

/**
 * Keeps the host from running far ahead of the device, without ever letting the device wait: a wait
 * takes 10 ms at least, so several short steps share one.
 */
export class Pacer {
  #waiting: Promise<void>[] = [];
  #steps = 0;
  #perWait = 1;
  #last = performance.now();

  async step(): Promise<void> {
    if (++this.#steps < this.#perWait) return;
    this.#steps = 0;
    const wait = submitted();
    wait.catch(() => {}); // nobody may be left to await it
    this.#waiting.push(wait);
    if (this.#waiting.length > 2) await this.#waiting.shift();
    const now = performance.now(), took = now - this.#last;
    this.#last = now;
    if (took < 30 && this.#perWait < 256) this.#perWait *= 2;
    else if (took > 200 && this.#perWait > 1) this.#perWait /= 2;
  }
}
