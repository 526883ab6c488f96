import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { CheckpointError } from "../io/errors.ts";
import { TrainError } from "../train/errors.ts";
import { advised } from "./way_on.ts";

const full = Object.assign(new Error("stats.jsonl: No space left on device"), { code: "ENOSPC" });
const unwritten = new CheckpointError("checkpoint: cannot write x", { cause: full });

Deno.test("the way on after a failure depends on whether there is a checkpoint", async () => {
  const run = await Deno.makeTempDir(), name = "checkpoint-000002.safetensors";
  const told = async (error: Error) => ((await advised(error, run)) as Error).message;
  try {
    assertEquals(
      await told(full),
      "stats.jsonl: No space left on device; make room on the disk, then start again, as " +
        `${run} has no checkpoint yet`,
    );
    assertEquals(await told(new TrainError("broke")), `broke; ${run} has no checkpoint yet`);
    await Deno.writeTextFile(join(run, name), "");
    for (const error of [full, unwritten]) {
      assertEquals(
        await told(error),
        `${error.message}; make room on the disk, then go on from ${name} with ` +
          `gan train --resume ${run}`,
      );
    }
    assertEquals(
      await told(new TrainError("broke")),
      `broke; the last good checkpoint, ${name}, is kept`,
    );
    const other = new Error("other");
    assertEquals(await advised(other, run), other);
  } finally {
    await Deno.remove(run, { recursive: true });
  }
});
