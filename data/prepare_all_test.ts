import { assert, assertEquals } from "@std/assert";
import { encodePng } from "./png.ts";
import { prepareAll } from "./prepare_all.ts";
import type { Source } from "./source.ts";

/** `count` copies of one image, and how many of them were in memory at most. */
function copies(image: Uint8Array, count: number) {
  const seen = { held: 0, most: 0, taken: 0 };
  const source: Source = {
    name: "copies",
    kind: "test",
    stamps: [],
    names: Array.from({ length: count }, (_, i) => `${i}`),
    read: () => {
      seen.most = Math.max(seen.most, ++seen.held);
      return Promise.resolve(new Uint8Array(image));
    },
    close: () => Promise.resolve(),
  };
  const take = () => {
    seen.held--;
    seen.taken++;
  };
  return { source, take, seen };
}

const to = { resolution: 4, crop: "center", resize: "area" } as const;

Deno.test("images in memory are few, however many there are", async () => {
  const png = encodePng({ width: 8, height: 8, rgb: new Uint8Array(192).fill(7) });
  const { source, take, seen } = copies(png, 3000);
  const { good } = await prepareAll(source, to, take);
  assertEquals([good.length, seen.taken], [3000, 3000]);
  assert(seen.most <= 32 * Math.min(8 * navigator.hardwareConcurrency, 32), `${seen.most}`);
});

Deno.test("of images above a megabyte one is taken at a time", async () => {
  const rgb = crypto.getRandomValues(new Uint8Array(65_536));
  const noise = new Uint8Array(3 * 640 * 640).map((_, i) => rgb[(i * 7 + (i >> 14)) % 65_536]);
  const png = encodePng({ width: 640, height: 640, rgb: noise });
  assert(png.length > 2 ** 20, `${png.length}`);
  const { source, take, seen } = copies(png, 4);
  await prepareAll(source, to, take);
  assertEquals([seen.taken, seen.most], [4, 1]);
});
