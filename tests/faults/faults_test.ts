/** Some of the failures that `deno task faults` makes: of each kind, and of each that once went wrong. */
import { assert, assertStringIncludes } from "@std/assert";
import { inFolder } from "../support.ts";
import { type Fault, FaultyRuns } from "./run.ts";

const SAMPLE: readonly (Fault & { readonly says: string })[] = [
  { kind: "pipeline", at: 8, fresh: true, says: "The shader" }, // only a look in the background heard
  { kind: "allocation", at: 9, fresh: true, says: "no memory left" },
  { kind: "dispatch", at: 200, says: "refused a command" },
  { kind: "submit", at: 30, says: "refused a command" },
  { kind: "upload", at: 30, says: "refused a command" },
  { kind: "readback", at: 0, says: "results cannot be read" }, // was an unexpected error
  { kind: "readback", at: 50, says: "results cannot be read" },
  { kind: "loss", at: 60, says: "exit code 0" }, // goes on with another device
];
/** By what is done to which file, why it fails, and what is advised. */
const FILES: readonly (readonly [RegExp, code: string, advice: string])[] = [
  [/^openSync .*\.rgb8\.\w+\.part$/, "ENOSPC", "make room on the disk"],
  [/^makeTempFile/, "EMFILE", "ulimit -n"], // another folder was advised
  [/^readFile .*2\.png/, "EMFILE", "ulimit -n"], // it was left out
  [/^readFile .*1\.png/, "ENOENT", "No such file"],
  [/^rename .*options\.json/, "EROFS", "choose another with --out"],
  [/^truncate/, "EIO", ""], // of the lock, which was not named
  [/^rename .*checkpoint-000000\.004/, "ENOSPC", "make room on the disk"],
  [/^writeTextFile .*stats\.jsonl/, "ENOMEM", "close other programs"],
  [/^open .*report\.html/, "EMFILE", "ulimit -n"],
];

Deno.test("whatever fails once ends a run in a sentence, and the run is gone on with", () =>
  inFolder(async (folder) => {
    const runs = new FaultyRuns(folder);
    await runs.counts(true);
    const files = [...runs.files];
    await runs.counts(false);
    for (const { says, ...fault } of SAMPLE) assertStringIncludes(await runs.check(fault), says);
    for (const [pattern, code, advice] of FILES) {
      const at = files.findIndex((what) => pattern.test(what));
      assert(at >= 0, `${pattern} is not done`);
      const told = await runs.check({ kind: "file", at, fresh: true, code });
      assert(/gan: .*(\/|\.cache)/.test(told), `no file is named: ${told}`);
      assertStringIncludes(told, advice);
    }
  }));
