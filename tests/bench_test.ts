/** The benchmark's command line, in a process of its own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const ROOT = join(import.meta.dirname!, "..");

async function bench(line: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "bench/main.ts", ...line.split(" ")],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, errors, lines: out.split("\n").filter(Boolean).map((text) => JSON.parse(text)) };
}

Deno.test("bench times a kernel and a step, what the host takes only if it may", async () => {
  const { code, lines } = await bench(
    "--jobs softmax,pggan-4 --batch 4 --budget-ms 1 --no-host --no-autotune",
  );
  assertEquals(code, 0);
  const [softmax, step] = lines;
  assertEquals([softmax.job, step.job], ["softmax", "pggan-4"]);
  assert(softmax.ms_min > 0 && softmax.ms_min <= softmax.ms_median && softmax.gbs > 0);
  assert(step.gflop > 0 && step.images_per_s > 0);
  assert(!("host_ms" in step) && !("as_gpu" in step));
});

Deno.test("bench says in a sentence what it cannot do", async () => {
  for (
    const [line, says] of [
      ["--job softmax", "there is no --job"],
      ["softmax", "there is no softmax"],
      ["--jobs none", "there is no job none"],
      ["--budget-ms x", "is not a number above 0"],
      ["--precision f64", "choose f32 or f16"],
    ]
  ) {
    const { code, errors } = await bench(line);
    assertEquals(code, 2, line);
    assertStringIncludes(errors, says);
  }
});
