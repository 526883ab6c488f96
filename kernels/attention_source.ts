/**
 * The source of kernels/attention.ts. It is put together, because the sums must be named variables: the
 * software device is five times slower with an indexed array, and GPUs spill it.
 *
 * @module
 */
import { range } from "./gemm_source.ts";

/** How the kernels are unrolled, and where they read from. Results do not depend on it but by rounding. */
export interface AttentionPlan {
  /** From storage textures, for the software device, or from buffers. */
  readonly load: "texture" | "buffer";
  /** Rows that an invocation holds. */
  readonly held: number;
  /** Streamed rows a turn of the loop: sums are then read and written that much more seldom. */
  readonly block: number;
  /** vec4 of sums for each row held, at most; wider values are computed in slices. */
  readonly sums: number;
  /**
   * Invocations of a workgroup that is one subgroup: each loads one streamed row for all of them; 0
   * where each loads all rows by itself.
   */
  readonly share: number;
  /** Workgroups wanted on the way back: sums are split into parts for it. */
  readonly fill: number;
}

/** Invocations of a workgroup that do not share. */
export const ALONE = 64;

/**
 * WGSL for queries and keys of `d` channels and values of `e`.
 *
 * In each entry point `a` are sums, `s` scores q . k, `t` products dy . v, `w` the weights with which
 * streamed rows are summed; the number of the held row comes first, then that of the streamed one or
 * of the vec4. `p.rows` are held, `p.others` stream past: on the way back `p.perPart` of them in each of
 * `p.parts`, whose sums are added afterwards.
 */
export function source(
  { load, held, block, share }: AttentionPlan,
  d: number,
  e: number,
  slices: number,
): string {
  const D = Math.ceil(d / 4), E = Math.ceil(e / 4), PER = Math.ceil(E / slices);
  const rows = range(held), others = range(block), own = range(PER);
  const input = (name: string, binding: number) =>
    load === "texture"
      ? `@group(0) @binding(${binding}) var ${name}: texture_storage_2d_array<rgba32float, read>;`
      : `@group(0) @binding(${binding}) var<storage, read> ${name}: array<vec4f>;`;
  const result = (name: string, binding: number, width: number) =>
    `@group(0) @binding(${binding}) var<storage, read_write> ${name}: array<${
      width % 4 ? "f32" : "vec4f"
    }>;`;
  // Channels 4 c to 4 c + 3 of a row of this picture
  const at = (name: string, count: string, chunks: number, row: string, c: number | string) =>
    load === "texture"
      ? `textureLoad(${name}, vec2u(${c}, ${row}), picture)`
      : `${name}[(picture * ${count} + ${row}) * ${chunks} + ${c}]`;
  const store = (name: string, width: number, m: number, c: string, value: string) => {
    const row = `((part * p.pictures + picture) * p.rows + row${m})`;
    const put = width % 4 === 0
      ? `${name}[${row} * ${width / 4} + ${c}] = ${value};`
      : range(4).map((i) =>
        `if (4 * ${c} + ${i} < ${width}) { ${name}[${row} * ${width} + 4 * ${c} + ${i}] = ` +
        `${value}.${"xyzw"[i]}; }`
      ).join(" ");
    return `if (row${m} < p.rows) { ${put} }`;
  };
  const hold = (as: string, name: string, chunks: number) =>
    rows.flatMap((m) =>
      range(chunks).map((c) => `let ${as}${m}_${c} = ${at(name, "p.rows", chunks, `near${m}`, c)};`)
    );
  const zeros = (chunks: number) =>
    rows.flatMap((m) => range(chunks).map((c) => `var a${m}_${c} = vec4f();`));
  // Rows that stream past: what `name` holds for them, and how much of it.
  const whole = (c: number) => String(c), slice = (c: number) => `c${c}`;
  const streams = {
    k: { name: "k", chunks: D, from: whole },
    q: { name: "q", chunks: D, from: whole },
    v: { name: "v", chunks: E, from: whole },
    g: { name: "dy", chunks: E, from: whole },
    vSlice: { name: "v", chunks: PER, from: slice },
    gSlice: { name: "dy", chunks: PER, from: slice },
  };
  type Stream = keyof typeof streams | "sums" | "delta";
  const loaded = (stream: Stream, c: number, row: string) => {
    if (stream === "sums" || stream === "delta") return `${stream}[picture * p.others + ${row}]`;
    const { name, chunks, from } = streams[stream];
    return at(name, "p.others", name === "v" || name === "dy" ? E : chunks, row, from(c));
  };
  const chunksOf = (stream: Stream) =>
    stream === "sums" || stream === "delta" ? 1 : streams[stream].chunks;
  // `as` for the streamed rows of a block that begins `first` rows behind the turn's first.
  const passing = (as: string, stream: Stream, first: number) =>
    others.flatMap((b) =>
      range(chunksOf(stream)).map((c) =>
        `let ${as}${b}_${c} = ${
          share
            ? `subgroupBroadcast(own_${stream}_${c}, ${first + b}u)`
            : loaded(stream, c, `j${b}`)
        };`
      )
    );
  const dots = (to: string, mine: string, theirs: string, chunks: number) =>
    rows.flatMap((m) =>
      others.map((b) =>
        `let ${to}${m}_${b} = ${
          range(chunks).map((c) => `dot(${mine}${m}_${c}, ${theirs}${b}_${c})`).join(" + ")
        };`
      )
    );
  const grow = (chunks: number, theirs: string) =>
    rows.flatMap((m) =>
      range(chunks).map((c) =>
        `a${m}_${c} = a${m}_${c}${
          others.map((b) => ` + w${m}_${b} * ${theirs}${b}_${c}`).join("")
        };`
      )
    );
  const pairs = (f: (m: number, b: number) => string) =>
    rows.flatMap((m) => others.map((b) => f(m, b)));
  const inside = (b: number) => b === 0 && !share ? "true" : `j + ${b} < end`;
  const text = (...parts: (string | string[])[]) => parts.flat().join("\n  ");
  const entry = (
    name: string,
    needs: readonly Stream[],
    before: string[],
    loop: (first: number) => string[],
    after: string[],
    parts = "1",
  ) =>
    text(
      `@compute @workgroup_size(${share || ALONE})
fn ${name}(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {`,
      `let picture = group.y; let part = group.z % ${parts}; let slice = group.z / ${parts};`,
      `let end = min((part + 1) * p.perPart, p.others);`,
      // The chunks of this slice; those beyond the last are the last again, and not stored.
      own.map((c) => `let c${c} = min(slice * ${PER} + ${c}, ${E - 1});`),
      rows.map((m) => `let row${m} = (group.x * ${held} + ${m}) * ${share || ALONE} + lane.x;`),
      rows.map((m) => `let near${m} = min(row${m}, p.rows - 1);`),
      before,
      `for (var turn = part * p.perPart; turn < end; turn += ${share || block}) {`,
      share
        ? [
          "let mine = min(turn + lane.x, p.others - 1);",
          ...needs.flatMap((stream) =>
            range(chunksOf(stream)).map((c) =>
              `let own_${stream}_${c} = ${loaded(stream, c, "mine")};`
            )
          ),
        ]
        : [],
      range((share || block) / block).flatMap((nth) => [
        `{ let j = turn + ${nth * block};`,
        ...share ? [] : others.map((b) => `let j${b} = min(j + ${b}, p.others - 1);`),
        ...loop(nth * block),
        "}",
      ]),
      "}",
      after,
    ) + "\n}\n";
  const ofPicture = (name: string, row: string, count = "p.rows") =>
    `${name}[picture * ${count} + ${row}]`;
  const storeSlice = (name: string, factor: (m: number) => string) =>
    rows.flatMap((m) =>
      own.map((c) =>
        `if (slice * ${PER} + ${c} < ${E}) { let r = a${m}_${c}${factor(m)}; ${
          store(name, e, m, `c${c}`, "r")
        } }`
      )
    );
  const storeAll = (name: string) =>
    rows.flatMap((m) => range(D).map((c) => store(name, d, m, `${c}u`, `a${m}_${c}`)));

  return text(
    "struct Params { rows: u32, others: u32, pictures: u32, parts: u32, perPart: u32 }",
    input("q", 0),
    input("k", 1),
    input("v", 2),
    input("dy", 3),
    "@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // log of the sum of e^(q . k)",
    "@group(0) @binding(5) var<storage, read> delta: array<f32>; // dy . y",
    result("result", 6, e),
    result("dq", 7, d),
    result("dk", 8, d),
    result("dv", 9, e),
    "@group(0) @binding(10) var<uniform> p: Params;",
    entry("forward", ["k", "vSlice"], [
      ...hold("q", "q", D),
      ...zeros(PER),
      ...rows.flatMap((m) => [`var most${m} = -3e38f;`, `var total${m} = 0f;`]),
    ], (first) => [
      ...passing("k", "k", first),
      ...dots("t", "q", "k", D),
      ...pairs((m, b) => `let s${m}_${b} = select(-3e38f, t${m}_${b}, ${inside(b)});`),
      ...rows.flatMap((m) => [
        `let top${m} = ${others.reduce((t, b) => `max(${t}, s${m}_${b})`, `most${m}`)};`,
        `let shrink${m} = exp(most${m} - top${m});`,
        `most${m} = top${m};`,
        ...own.map((c) => `a${m}_${c} *= shrink${m};`),
      ]),
      ...pairs((m, b) => `let w${m}_${b} = exp(s${m}_${b} - top${m});`),
      ...rows.map((m) =>
        `total${m} = total${m} * shrink${m}${others.map((b) => ` + w${m}_${b}`).join("")};`
      ),
      ...passing("v", "vSlice", first),
      ...grow(PER, "v"),
    ], [
      ...storeSlice("result", (m) => ` / total${m}`),
      ...rows.map((m) =>
        `if (row${m} < p.rows && slice == 0) { ${ofPicture("sums", `row${m}`)} = ` +
        `most${m} + log(total${m}); }`
      ),
    ]),
    entry(
      "queries",
      ["k", "v"],
      [
        ...hold("q", "q", D),
        ...hold("g", "dy", E),
        ...rows.flatMap((m) => [
          `let sum${m} = ${ofPicture("sums", `near${m}`)};`,
          `let own${m} = ${ofPicture("delta", `near${m}`)};`,
        ]),
        ...zeros(D),
      ],
      (first) => [
        ...passing("k", "k", first),
        ...dots("s", "q", "k", D),
        ...passing("v", "v", first),
        ...dots("t", "g", "v", E),
        ...pairs((m, b) =>
          `let w${m}_${b} = select(0, exp(s${m}_${b} - sum${m}) * (t${m}_${b} - own${m}), ${
            inside(b)
          });`
        ),
        ...grow(D, "k"),
      ],
      storeAll("dq"),
      "p.parts",
    ),
    entry(
      "keys",
      ["sums", "delta", "q", "g"],
      [
        ...hold("k", "k", D),
        ...hold("v", "v", E),
        ...zeros(D),
      ],
      (first) => [
        ...passing("sum", "sums", first),
        ...passing("own", "delta", first),
        ...passing("q", "q", first),
        ...dots("s", "k", "q", D),
        ...passing("g", "g", first),
        ...dots("t", "v", "g", E),
        ...pairs((m, b) =>
          `let w${m}_${b} = select(0, exp(s${m}_${b} - sum${b}_0) * (t${m}_${b} - own${b}_0), ${
            inside(b)
          });`
        ),
        ...grow(D, "q"),
      ],
      storeAll("dk"),
      "p.parts",
    ),
    entry(
      "values",
      ["sums", "q", "gSlice"],
      [
        ...hold("k", "k", D),
        ...zeros(PER),
      ],
      (first) => [
        ...passing("sum", "sums", first),
        ...passing("q", "q", first),
        ...dots("s", "k", "q", D),
        ...pairs((m, b) =>
          `let w${m}_${b} = select(0, exp(s${m}_${b} - sum${b}_0), ${inside(b)});`
        ),
        ...passing("g", "gSlice", first),
        ...grow(PER, "g"),
      ],
      storeSlice("dv", () => ""),
      "p.parts",
    ),
  );
}
