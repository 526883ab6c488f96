import { assertEquals, assertThrows } from "@std/assert";
import { evaluate, expand, type File, sections, type Values } from "./wgsl.ts";

const file = (text: string, name = "a.wgsl"): File => ({ name, text });
const code = (text: string, values: Values = {}, parts: Record<string, File> = {}) =>
  expand(file(text), values, parts).code;

Deno.test("values and arithmetic of values are put in", () => {
  assertEquals(code("let x = $N; // ${2 * N + 1}", { N: 3 }), "let x = 3; // 7");
  assertEquals(code("alias V = $TYPE;", { TYPE: "vec4f" }), "alias V = vec4f;");
});

Deno.test("a branch is kept, lines are repeated, and both nest", () => {
  const text = "#for i in N\n#if i % 2 == 0\neven $i\n#else\nodd $i\n#end\n#end\nend";
  assertEquals(code(text, { N: 3 }), "even 0\nodd 1\neven 2\nend");
  assertEquals(code("#if FLAG\na\n#end", { FLAG: false }), "");
});

Deno.test("parts are included where they are named, and lines know where they come from", () => {
  const { code, origins } = expand(
    file("first\n#include part\nlast"),
    { N: 1 },
    { part: file("one $N\ntwo", "b.wgsl") },
  );
  assertEquals(code, "first\none 1\ntwo\nlast");
  assertEquals(origins, ["a.wgsl:1", "b.wgsl:1", "b.wgsl:2", "a.wgsl:3"]);
});

Deno.test("sections of a file are parts whose lines keep their numbers", () => {
  const parts = sections("m", file("// about\n#part begin\nx\n#part end\ny", "m.wgsl"));
  assertEquals(Object.keys(parts), ["m.begin", "m.end"]);
  const { code, origins } = expand(file("#include m.end"), {}, parts);
  assertEquals([code.trim(), origins.at(-1)], ["y", "m.wgsl:5"]);
});

Deno.test("expressions have C's precedence and whole numbers", () => {
  const values = { N: 10, yes: true };
  const cases: [string, number][] = [
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["N / 4", 2],
    ["-N / 4", -2],
    ["N % 4 == 2 && !yes", 0],
    ["N >= 10 ? N >> 1 : 0", 5],
    ["yes ? 1 : yes ? 2 : 3", 1],
    ["1 << 3 | 1", 9],
    ["N - 3 - 2", 5],
    ["false || N != 10", 0],
  ];
  for (const [text, value] of cases) assertEquals(evaluate(text, values), value, text);
});

Deno.test("whatever is missing or malformed is told with file and line", () => {
  const cases: [string, string][] = [
    ["x\n$NONE", "a.wgsl:2: there is no value NONE"],
    ["${NONE + 1}", "a.wgsl:1: there is no value NONE in the expression NONE + 1"],
    ["${1 +}", "a.wgsl:1: unexpected end in the expression 1 +"],
    ["${1 2}", "a.wgsl:1: unexpected 2 in the expression 1 2"],
    ["${(1}", "a.wgsl:1: expected ) in the expression (1"],
    ["${1 / 0}", "a.wgsl:1: Infinity is no whole number in the expression 1 / 0"],
    ["${T}", "a.wgsl:1: T is text in the expression T"],
    ["\n#include nothing", "a.wgsl:2: there is no part nothing"],
    ["#include self", "self.wgsl:1: self includes itself"],
    ["#if 1\nx", "a.wgsl:1: there is no #end for it"],
    ["#end", "a.wgsl:1: #end without #if"],
    ["#if 1\n#else\n#else\n#end", "a.wgsl:3: a second #else"],
    ["#for i 3\n#end", "a.wgsl:1: expected #for NAME in COUNT"],
    ["#elif 1", "a.wgsl:1: there is no #elif"],
    ["#for i in 2\n$j\n#end", "a.wgsl:2: there is no value j"],
  ];
  const parts = { self: file("#include self", "self.wgsl") };
  for (const [text, message] of cases) {
    const { message: found } = assertThrows(() => code(text, { T: "text" }, parts), SyntaxError);
    assertEquals(found, message);
  }
});
