import { assertEquals } from "@std/assert";
import { readTensors, StoredTensor } from "./torch_tensors.ts";

Deno.test("of a storage only what its tensors span is read, and once", async () => {
  const reads: number[][] = [], stored = { kind: "FloatStorage", key: "0" };
  const storage = {
    size: 4e9,
    read: (from: number, to: number) => {
      reads.push([from, to]);
      return Promise.resolve(
        new Uint8Array(Float32Array.from({ length: (to - from) / 4 }, (_, i) => i).buffer),
      );
    },
  };
  const tensors = new Map([
    ["first", new StoredTensor(stored, 1000, [2, 3], [3, 1])],
    ["transposed", new StoredTensor(stored, 1000, [3, 2], [1, 3])],
    ["later", new StoredTensor(stored, 1010, [2], [1])],
    ["none", new StoredTensor(stored, 900_000_000, [0, 7], [7, 1])],
  ]);
  const entries = await readTensors(tensors, new Map([["0", storage]]), 1000);
  assertEquals(reads, [[4000, 4048]]);
  assertEquals([...entries].map(([name, { data }]) => [name, ...data]), [
    ["first", 0, 1, 2, 3, 4, 5],
    ["transposed", 0, 3, 1, 4, 2, 5],
    ["later", 10, 11],
    ["none"],
  ]);
});
