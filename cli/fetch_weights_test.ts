import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { inFolder } from "../tests/support.ts";
import { EvalError } from "../eval/errors.ts";
import { fetchWeights } from "./fetch_weights.ts";

const content = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * i >> 7);
const sha256 = createHash("sha256").update(content).digest("hex");

/** Serves the content; `/short` breaks off, `/other` gives something else, all else is missing. */
async function serving(body: (address: string) => Promise<void>): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    const { pathname } = new URL(url), length = String(content.length);
    if (pathname === "/weights") {
      return new Response(content, { headers: { "content-length": length } });
    }
    if (pathname === "/other") return new Response("a page of a login");
    if (pathname !== "/short") return new Response("no", { status: 404 });
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(content.subarray(0, 1000));
        setTimeout(() => controller.error(new Error("gone")), 50);
      },
    });
    return new Response(stream);
  });
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("weights are fetched once, with progress, and checked", async () => {
  await inFolder(async (folder) => {
    await serving(async (address) => {
      const path = join(folder, "new", "weights.pth"), told: number[][] = [];
      const options = { from: `${address}/weights`, sha256 };
      const onProgress = (done: number, total: number) => void told.push([done, total]);
      assertEquals(await fetchWeights(path, { ...options, onProgress }), true);
      assertEquals(await Deno.readFile(path), content);
      assertEquals(told.at(-1), [3, 3]);
      assertEquals(await fetchWeights(path, options), false);
      await Deno.writeTextFile(path, "damaged");
      await assertRejects(() => fetchWeights(path, options), EvalError, "remove it");
      assertEquals(await Deno.readTextFile(path), "damaged");
    });
  });
});

Deno.test("what cannot be fetched leaves nothing behind, and says which file to put where", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "weights.pth");
    const refused = async (from: string, ...says: string[]) => {
      const failed = () => fetchWeights(path, { from, sha256 });
      for (const part of [...says, `put it at ${path} (SHA-256 ${sha256})`]) {
        await assertRejects(failed, EvalError, part);
      }
      assertEquals([...Deno.readDirSync(folder)], []);
    };
    let closed = "";
    await serving(async (address) => {
      closed = address;
      await refused(`${address}/none`, "answers 404");
      await refused(`${address}/other`, "it is another file");
      await refused(`${address}/short`, "broke off after 1000 of");
    });
    await refused(`${closed}/weights`, "connect to the network");
    assert(closed.startsWith("http://127.0.0.1:"));
  });
});
