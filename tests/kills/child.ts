/**
 * The program, killed at a file operation or a submit, by its number or by what is done to which file:
 * `KILL_AT=file:37`, `KILL_AT=submit:100`, `KILL_AT="rename .*checkpoint"`. Where it comes to its end its last
 * line on stderr tells how many of each there were.
 *
 * @module
 */
import { openGpu } from "../../gpu/device.ts";
import { deno } from "../../gpu/engines/deno.ts";
import { main } from "../../main.ts";
import { withFaultyFiles } from "../faults/files.ts";
import { faulty } from "../faults/gpu.ts";
import { Injector } from "../faults/injector.ts";

/** Ends the process where something would fail. */
class Killer extends Injector {
  constructor(readonly pattern?: RegExp) {
    super();
  }

  override fails(kind: string, what?: string, first?: () => unknown): boolean {
    if (kind === "file" && this.pattern?.test(what ?? "")) this.strike(first ?? (() => {}));
    return super.fails(kind, what, first);
  }

  override strike(first: () => unknown): void {
    first(); // of a write, the first half
    Deno.kill(Deno.pid, "SIGKILL");
  }
}

const moment = Deno.env.get("KILL_AT") ?? "", number = /^(file|submit):(\d+)$/.exec(moment);
const killer = new Killer(moment && !number ? new RegExp(moment) : undefined);
await openGpu({ engine: faulty(deno, killer) });
if (number) killer.arm({ kind: number[1], at: Number(number[2]) });
const folder = Deno.cwd();
const isOurs = (path: string) => path.startsWith(folder) || !path.startsWith("/");
const code = await withFaultyFiles(killer, isOurs, () => main(Deno.args));
console.error(JSON.stringify(Object.fromEntries(killer.counts)));
Deno.exit(code);
