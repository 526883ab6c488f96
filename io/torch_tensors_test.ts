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

Deno.test("elements are read in place, wherever they lie, and tensors own theirs", async () => {
  for (const offset of [0, 4, 1]) {
    const file = new Uint8Array(offset + 24), six = [NaN, 1, -2, 3, 4, 5];
    file.set(new Uint8Array(Float32Array.from(six).buffer), offset);
    const storage = {
      size: 24,
      read: (from: number, to: number) =>
        Promise.resolve(file.subarray(offset + from, offset + to)),
    };
    const stored = { kind: "FloatStorage", key: "0" };
    const tensors = new Map([
      ["whole", new StoredTensor(stored, 0, [6], [1])],
      ["transposed", new StoredTensor(stored, 0, [3, 2], [1, 3])],
    ]);
    const entries = await readTensors(tensors, new Map([["0", storage]]), 1000);
    file.fill(0);
    assertEquals([...entries].map(([name, { data }]) => [name, ...data]), [
      ["whole", ...(offset ? six : [0, 0, 0, 0, 0, 0])], // the only owner of the memory
      ["transposed", NaN, 3, 1, 4, -2, 5],
    ]);
  }
});
