import { assertEquals } from "@std/assert";
import { mutantsOf, mutated } from "./mutants.ts";
import { testsBySubject } from "./relevant_tests.ts";

/** The line that each mutant makes. */
const lines = (file: string, text: string) =>
  mutantsOf(file, text).map((mutant) => mutated(text, mutant).split("\n")[mutant.line - 1]);

Deno.test("mutants of TypeScript are changes of one token, outside of texts, types and comments", () => {
  assertEquals(lines("a.ts", "const x = a + b; // a - b"), [
    "const x = a - b; // a - b",
    "const x = a ; // a - b",
  ]);
  assertEquals(lines("a.ts", 'if (n < 2 && !done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);'), [
    'if (n <= 2 && !done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);',
    'if (n > 2 && !done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);',
    'if (n < 3 && !done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);',
    'if (n < 1 && !done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);',
    'if (n < 2 || !done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);',
    'if (n < 2 && done) f("1 + 2", `${3 + 4}`, /[/]5 + 6/);',
  ]);
  assertEquals(
    lines("a.ts", "type A = Map<string, 1>;\nlet n: 1 | 3;\nfunction f(a: A, b: A) {}"),
    [],
  );
  assertEquals(lines("a.ts", "return f(-a, b) / g(a, b);"), [
    "return f(a, b) / g(a, b);",
    "return f(-a, b) * g(a, b);",
    "return f(-a, b) / g(b, a);",
  ]);
});

Deno.test("mutants of WGSL change components, too, and leave attributes and included parts alone", () => {
  assertEquals(
    lines("a.wgsl", "#include part1\n@compute @workgroup_size(64)\nlet i = v.x * 2.5;"),
    [
      "let i = v.y * 2.5;",
      "let i = v.x / 2.5;",
      "let i = v.x ;",
      "let i = v.x * 2.5 * 2.0;",
    ],
  );
});

Deno.test("a file's neighbour test is first, then those that import it, those of its folder first", () => {
  const files = new Map([
    ["k/a.wgsl", ""],
    ["k/a.ts", 'import wgsl from "./a.wgsl" with { type: "text" };'],
    ["k/a_test.ts", 'import { a } from "./a.ts";'],
    ["k/b_test.ts", 'import { b } from "./b.ts";'],
    ["k/b.ts", 'import { a } from "./a.ts";'],
    ["far_test.ts", 'import { a } from "./k/a.ts";'],
    ["types_test.ts", 'import type { A } from "./k/a.ts";'],
  ]);
  const tests = ["k/a_test.ts", "k/b_test.ts", "far_test.ts"];
  assertEquals(testsBySubject(files).get("k/a.wgsl"), tests);
  assertEquals(testsBySubject(files).get("k/a.ts"), tests);
});
