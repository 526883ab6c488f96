/**
 * The program, killed at a file operation or a submit: `KILL_AT=file:37`, `KILL_AT=submit:100`. Where it
 * comes to its end its last line on stderr tells how many of each there were.
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
  override strike(first: () => unknown): void {
    first(); // of a write, the first half
    Deno.kill(Deno.pid, "SIGKILL");
  }
}

const [kind, at] = (Deno.env.get("KILL_AT") ?? "").split(":"), killer = new Killer();
await openGpu({ engine: faulty(deno, killer) });
killer.arm({ kind, at: Number(at) });
const folder = Deno.cwd();
const isOurs = (path: string) => path.startsWith(folder) || !path.startsWith("/");
const code = await withFaultyFiles(killer, isOurs, () => main(Deno.args));
console.error(JSON.stringify(Object.fromEntries(killer.counts)));
Deno.exit(code);
