import { cpuUsage } from "node:process";
import { assert } from "@std/assert";

/** What V8 and the libraries say where nobody looked at the input first. */
const FROM_THE_DEPTHS =
  /Cannot (read|set|convert|mix|destructure|perform)|is not (a function|iterable|defined|an object)|undefined is|Invalid (array|typed|string|DataView|count|date)|Offset is outside|offset is out of|Maximum call stack|allocation failed|byte length of|[Ss]tart offset|Reduce of empty|(?<!holds )NaN|\[object/;

// Of the processor: others may compute on the same machine.
const SECONDS = 5;
/** A worker that reads damaged pages is given 5 for a row group, while V8 collects on another core. */
export const WORKERS_SECONDS = 25;
const BYTES = 1e9;

/**
 * Runs `read`, which may refuse its input by an error of these classes only, in a sentence, soon, and in little
 * memory.
 */
export async function refusesWell(
  read: () => Promise<unknown> | unknown,
  ours: readonly (new (message: string) => Error)[],
  most = SECONDS,
): Promise<void> {
  const before = Deno.memoryUsage().rss, start = cpuUsage();
  try {
    await read();
  } catch (error) {
    const { name, message } = error as Error;
    if (!ours.some((kind) => error instanceof kind)) {
      throw new Error(`refused by ${name}: ${message}`, { cause: error });
    }
    assert(!FROM_THE_DEPTHS.test(message), `no sentence of ours: ${message}`);
    assert(message.length > 10 && message.length < 1000, `of ${message.length} characters`);
  }
  const { user, system } = cpuUsage(start), seconds = (user + system) / 1e6;
  const more = Deno.memoryUsage().rss - before;
  assert(seconds < most, `it took ${seconds} s`);
  assert(more < BYTES, `it took ${more / 1e6} MB`);
}
