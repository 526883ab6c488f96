import { assert, assertEquals, assertRejects } from "@std/assert";
import { DataError } from "./errors.ts";
import { WatchedWorker } from "./watched_worker.ts";

type Request = { busy: number; signs?: number; more?: number; waits?: number };

const file = new URL("./fixtures/busy_worker.js", import.meta.url);

async function withWorker(
  seconds: number,
  body: (worker: WatchedWorker<Request, number>) => Promise<void>,
): Promise<void> {
  const worker = new WatchedWorker<Request, number>(file, seconds);
  assert(await worker.isAvailable());
  await body(worker);
  worker.close();
}

Deno.test("seconds in which the worker got no processor count a quarter", () =>
  withWorker(1, async (worker) => {
    assertEquals(await worker.ask({ busy: 0, waits: 2 }, "a.parquet"), 0);
    await assertRejects(() => worker.ask({ busy: 0, waits: 60 }, "a.parquet"), DataError);
  }));

Deno.test("what other threads compute is not counted", () =>
  withWorker(1, (starved) =>
    withWorker(60, async (busy) => {
      const other = busy.ask({ busy: 4 }, "b.parquet");
      assertEquals(await starved.ask({ busy: 0, waits: 3 }, "a.parquet"), 0);
      assertEquals(await other, 4);
    })));

Deno.test("a worker that is busy without end is ended in a sentence; the next question finds another", () =>
  withWorker(2, async (worker) => {
    const first = worker.ask({ busy: Infinity }, "a.parquet: row group 3");
    const second = worker.ask({ busy: 0 }, "a.parquet: row group 4");
    const wanted = "data: a.parquet: row group 3 could not be read within 2 s: " +
      "the file is damaged; copy it again";
    await Promise.all([first, second].map((one) => assertRejects(() => one, DataError, wanted)));
    assertEquals(await worker.ask({ busy: 0 }, "b.parquet"), 0);
  }));

Deno.test("a worker that shows signs of life may take longer than the limit", () =>
  withWorker(2, async (worker) => {
    assertEquals(await worker.ask({ busy: 3, signs: 30 }, "a.parquet"), 3);
  }));

Deno.test("a worker that says that the next step is long may take longer than the limit, and not without end", () =>
  withWorker(1, async (worker) => {
    assertEquals(await worker.ask({ busy: 2, more: 2 }, "a.parquet"), 2);
    const start = performance.now();
    const endless = worker.ask({ busy: Infinity, more: 2 }, "a.parquet");
    await assertRejects(() => endless, DataError, "a.parquet could not be read within 1 s");
    assert(performance.now() - start > 2500);
  }));

Deno.test("a worker that fills the memory is ended, and not the process", () =>
  withWorker(4, async (worker) => {
    const before = Deno.memoryUsage().rss;
    await assertRejects(() => worker.ask({ busy: -1 }, "a.parquet"), DataError, "a.parquet could");
    assert(Deno.memoryUsage().rss - before < 1.5e9);
  }));

Deno.test("what is asked of a worker that is closed is rejected", () =>
  withWorker(60, async (worker) => {
    const answer = worker.ask({ busy: Infinity }, "a.parquet");
    worker.close();
    await assertRejects(() => answer, DataError, "the reading was stopped");
  }));
