import { assert, assertEquals, assertRejects } from "@std/assert";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader, ZipWriter } from "@zip.js/zip.js";
import { CheckpointError } from "./errors.ts";
import { decodeTorch, isTorch } from "./torch_file.ts";

// What these hold, tests/oracle/torch_file.py says.
const read = (name: string) =>
  Deno.readFileSync(new URL(`../tests/fixtures/${name}`, import.meta.url));
const text = (s: string) => new TextEncoder().encode(s);

/** The older container's first number, then a program of one's own. */
function legacy(program: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = read("tensors.legacy.pth").subarray(0, 15);
  return Uint8Array.from([...head, ...program]);
}

for (const container of ["zip", "legacy"]) {
  const bytes = read(`tensors.${container}.pth`);

  Deno.test(`${container}: tensors of all kinds are read, views and halves, too`, async () => {
    assert(isTorch(bytes));
    const { entries } = await decodeTorch(bytes, "t.pth");
    assertEquals(Object.fromEntries(entries), {
      "conv.weight": {
        dtype: "F32",
        shape: [2, 3, 2, 2],
        data: Float32Array.from({ length: 24 }, (_, i) => i),
      },
      "conv.bias": { dtype: "F32", shape: [3], data: Float32Array.of(0.5, 1.5, 2.5) },
      "part": { dtype: "F64", shape: [3, 2], data: Float64Array.of(3, 6, 4, 7, 5, 8) },
      "count": { dtype: "I64", shape: [], data: BigInt64Array.of(7n) },
    });
  });

  Deno.test(`${container}: a file that was cut short is refused wherever it ends`, async () => {
    for (let end = 2; end < bytes.length; end += 37) {
      await assertRejects(
        () => decodeTorch(bytes.slice(0, end), "t.pth"),
        CheckpointError,
        "t.pth is not a file of tensors",
      );
    }
  });
}

for (const container of ["zip", "legacy"]) {
  Deno.test(`${container}: all types of elements are read, and the wrapping is taken off`, async () => {
    const { entries, metadata } = await decodeTorch(read(`kinds.${container}.pth`), "k.pth");
    assertEquals(metadata, { prefix: "state_dict.module." });
    const f32 = { dtype: "F32", shape: [3], data: Float32Array.of(-2, 0, 1.5) } as const;
    const of = (dtype: string, data: unknown) => ({ dtype, shape: [3], data });
    assertEquals<unknown>(Object.fromEntries(entries), {
      bfloat16: f32,
      float16: f32,
      float32: f32,
      float64: of("F64", Float64Array.of(-2, 0, 1.5)),
      bool: of("BOOL", Uint8Array.of(1, 0, 1)),
      int8: of("I8", Int8Array.of(2, 0, 1)),
      uint8: of("U8", Uint8Array.of(2, 0, 1)),
      int16: of("I16", Int16Array.of(2, 0, 1)),
      int32: of("I32", Int32Array.of(2, 0, 1)),
      int64: of("I64", BigInt64Array.of(2n, 0n, 1n)),
      transposed: {
        dtype: "F32",
        shape: [4, 2, 3],
        data: Float32Array.from({ length: 24 }, (_, i) => 4 * (i % 6) + Math.floor(i / 6)),
      },
      empty: { dtype: "F32", shape: [0, 5], data: new Float32Array(0) },
      tied: f32,
    });
    assert(entries.get("tied")!.data === entries.get("float32")!.data, "a view is held twice");
  });
}

Deno.test("a flipped bit in a tensor's elements is found by the zip's checksum", async () => {
  const bytes = read("tensors.zip.pth"), name = text("data/0");
  const at = bytes.findIndex((_, i) => name.every((c, j) => bytes[i + j] === c));
  bytes[at + 100] ^= 1; // elements, behind padding to 64 bytes
  await assertRejects(() => decodeTorch(bytes, "flip.pth"), CheckpointError, "is damaged");
});

Deno.test("a zip that another program compressed is read, and its checksums are looked at", async () => {
  const from = new ZipReader(new Uint8ArrayReader(read("tensors.zip.pth")));
  const to = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const entry of await from.getEntries()) {
    if (entry.directory) continue;
    const bytes = await entry.getData(new Uint8ArrayWriter());
    await to.add(entry.filename, new Uint8ArrayReader(bytes), { dataDescriptor: false });
  }
  const bytes = await to.close() as Uint8Array<ArrayBuffer>;
  const expected = await decodeTorch(read("tensors.zip.pth"), "t.pth");
  assertEquals((await decodeTorch(bytes, "t.pth")).entries, expected.entries);
  // Of data/0 the sum, which stands 14 bytes behind the start of its header, and in the directory.
  const all = new TextDecoder("latin1").decode(bytes), name = "tensors.zip/data/0";
  const first = all.indexOf(name), last = all.lastIndexOf(name);
  assert(first >= 30 && last > first, `${first}, ${last}`);
  for (const at of [first - 30 + 14, last - 46 + 16]) bytes[at] ^= 1;
  await assertRejects(() => decodeTorch(bytes, "t.pth"), CheckpointError, "is damaged");
});

// Programs of pickle: `}` a dictionary, q and h store and recall, X a text, K a number, s sets an item.
const key = (name: string) => Uint8Array.from([0x8c, name.length, ...text(name)]);
const K = (n: number) => [0x4b, n];
const int = (n: number) => [0x4a, n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255];
/** A tensor of the storage "0" of two float32. */
const tensorOf = (shape: number[][], strides: number[][]) => [
  ...text("ctorch._utils\n_rebuild_tensor_v2\n("),
  ...[0x28, ...key("storage"), ...text("ctorch\nFloatStorage\n"), ...key("0"), ...key("cpu")],
  ...[...K(2), 0x74, 0x51, ...K(0)], // a tuple, and what it refers to; the offset
  ...[0x28, ...shape.flat(), 0x74, 0x28, ...strides.flat(), 0x74, 0x74, 0x52],
];
const START = [0x80, 2, 0x4d, 0xe9, 3, 0x2e, 0x80, 2, 0x7d, 0x2e]; // version, sizes
/** The older container around a program that refers to no storage. */
const bare = (...program: number[]) =>
  legacy(Uint8Array.from([...START, ...program, 0x2e, 0x5d, 0x2e]));
/** The same with the storage "0". */
const file = (...program: number[]) =>
  legacy(Uint8Array.from([
    ...START,
    ...[...program, 0x2e, 0x5d, ...key("0"), 0x61, 0x2e, 2, 0, 0, 0, 0, 0, 0, 0],
    ...new Uint8Array(Float32Array.of(1, 2).buffer),
  ]));

Deno.test("a record in itself, and records beyond all depth, are refused", async () => {
  const cyclic = bare(0x7d, 0x71, 0, ...key("a"), 0x68, 0, 0x73);
  await assertRejects(() => decodeTorch(cyclic, "x"), CheckpointError, "record a holds itself");
  const deep = Array.from({ length: 70 }, () => [0x7d, ...key("a")]).flat();
  const closed = bare(...deep, ...K(1), ...new Array(70).fill(0x73));
  await assertRejects(() => decodeTorch(closed, "x"), CheckpointError, "more than 64 deep");
});

Deno.test("a record that is there many times is looked through once", async () => {
  // Each of 40 levels holds the one below twice: 2^40 ways to the tensor.
  const levels = Array.from(
    { length: 40 },
    (_, i) => [0x71, i, 0x30, 0x7d, ...key("a"), 0x68, i, 0x73, ...key("b"), 0x68, i, 0x73],
  );
  const bottom = [0x7d, ...key("t"), ...tensorOf([K(2)], [K(1)]), 0x73];
  const { entries } = await decodeTorch(file(...bottom, ...levels.flat()), "shared.pth");
  assertEquals([...entries.values()].map(({ data }) => [...data]), [[1, 2]]);
});

Deno.test("shapes that no storage can have are refused at once, those of nothing are read", async () => {
  const shaped = (shape: number[][], strides: number[][]) =>
    decodeTorch(file(0x7d, ...key("t"), ...tensorOf(shape, strides), 0x73), "x");
  const huge = int(2 ** 31 - 1);
  for (const shape of [[huge, K(0)], [K(0), huge], [huge, huge]]) {
    await assertRejects(() => shaped(shape, [K(1), K(1)]), CheckpointError, "t ");
  }
  await assertRejects(() => shaped([K(2)], [K(1), K(1)]), CheckpointError, "impossible shape");
  await assertRejects(() => shaped([K(3)], [K(0)]), CheckpointError, "beyond its elements");
  const { entries } = await shaped([K(0), K(7)], [K(7), K(1)]);
  assertEquals(entries.get("t"), { dtype: "F32", shape: [0, 7], data: new Float32Array(0) });
});

Deno.test("a tensor of anything but a storage is refused", async () => {
  const tensor = (...stored: number[]) => [
    ...text("ctorch._utils\n_rebuild_tensor_v2\n("),
    ...[...stored, ...K(0), 0x28, ...K(2), 0x74, 0x28, ...K(1), 0x74, 0x74, 0x52],
  ];
  // None, a number, a text, an empty dictionary
  for (const stored of [[0x4e], K(3), key("0"), [0x7d]]) {
    await assertRejects(
      () => decodeTorch(bare(0x7d, ...key("t"), ...tensor(...stored), 0x73), "x"),
      CheckpointError,
      "malformed tensor",
    );
  }
});

Deno.test("views that together are far larger than the file are refused, equal ones count once", async () => {
  const n = 4001, storage = new Uint8Array(4 * n), VIEWS = 2000;
  const views = (sizeOf: (i: number) => number) => {
    const items = Array.from({ length: VIEWS }, (_, i) => [
      ...key(`t${i}`),
      ...tensorOf([int(sizeOf(i))], [K(1)]),
      0x73,
    ]);
    return legacy(Uint8Array.from([
      ...[...START, 0x7d, ...items.flat(), 0x2e],
      ...[0x5d, ...key("0"), 0x61, 0x2e, n & 255, n >> 8, 0, 0, 0, 0, 0, 0, ...storage],
    ]));
  };
  const { entries } = await decodeTorch(views((i) => n - i % 2), "equal.pth");
  assertEquals(entries.size, VIEWS);
  assertEquals(new Set([...entries.values()].map(({ data }) => data)).size, 2);
  await assertRejects(
    () => decodeTorch(views((i) => n - i), "views.pth"),
    CheckpointError,
    "far larger than the file",
  );
});

Deno.test("objects beside the tensors are passed over, and what is none is named", async () => {
  const { entries, metadata } = await decodeTorch(read("beside.pth"), "beside.pth");
  assertEquals([...entries.keys()], ["w"]);
  assertEquals(metadata, { prefix: "g_ema." });
  const refusals = {
    "module.pth": "an object of the class torch.nn.modules.container.Sequential, not its tensors",
    "script.pth": "an object of the class __torch__.torch.nn.modules.container",
    "sparse.pth": "it holds a sparse tensor: save it by torch.save after .to_dense()",
  };
  for (const [name, message] of Object.entries(refusals)) {
    await assertRejects(() => decodeTorch(read(name), name), CheckpointError, message);
  }
});

Deno.test("a name that no tensor needs stands for nothing, and is not called", async () => {
  for (
    const [program, message] of [
      [text("cos\nsystem\n(X\u0004\0\0\0truetR."), "an object of the class os.system"],
      [text("cbuiltins\neval\n."), "it holds no tensor"],
      [text("ctorch._utils\n_rebuild_tensor\n."), "which no file of tensors needs"],
      [
        Uint8Array.from([0x8c, 2, ...text("os"), 0x8c, 6, ...text("system"), 0x93, 0x2e]), // STACK_GLOBAL
        "it holds no tensor",
      ],
    ] as const
  ) {
    await assertRejects(
      () => decodeTorch(legacy(Uint8Array.from([...START, ...program, ...text("].")])), "bad.pth"),
      CheckpointError,
      message,
    );
  }
  await assertRejects(
    () => decodeTorch(legacy(Uint8Array.from([0x5d, 0x8c, 1, 0x78, 0x93, 0x2e])), "bad.pth"),
    CheckpointError,
    "it names a function by what is no text",
  );
  // An instance by class name, without a call.
  await assertRejects(
    () => decodeTorch(legacy(text("(ios\nsystem\n.")), "bad.pth"),
    CheckpointError,
    "the operation 0x69, unknown here",
  );
});

Deno.test("a storage's class cannot be called", async () => {
  await assertRejects(
    () => decodeTorch(legacy(text("ctorch\nFloatStorage\n)R.")), "bad.pth"),
    CheckpointError,
    "it calls FloatStorage",
  );
});

Deno.test("what is no file of tensors is told apart", async () => {
  assert(!isTorch(text("PNG")) && !isTorch(new Uint8Array(0)));
  await assertRejects(
    () => decodeTorch(read("dcgan.safetensors"), "x"),
    CheckpointError,
    "x is not",
  );
  await assertRejects(
    () => decodeTorch(text("PK but no zip"), "x"),
    CheckpointError,
    "x is not a file of tensors by torch.save",
  );
});
