/**
 * A lint rule: what only Deno has stays where files, processes and terminals are dealt with, so that
 * all else runs in a browser.
 *
 * @module
 */
import { isIn, pathBelow, ROOT } from "./paths.ts";

/** Where `Deno` and `node:` may stand. */
const HOST = [
  "io/",
  "data/",
  "export/",
  "run/",
  "eval/files/",
  "cli/",
  "gpu/engines/",
  "lint/",
  "tests/",
  "bench/",
  "examples/",
  "compat/",
];
const FILES = ["main.ts"];

/** Reports `Deno`, as a value or in a type, and imports of `node:` modules. */
export const host: Deno.lint.Rule = {
  create(context) {
    const file = pathBelow(ROOT, context.filename);
    if (file.endsWith("_test.ts") || isIn(file, [...HOST, ...FILES])) return {};
    const report = (node: Deno.lint.Node, what: string) =>
      context.report({
        node,
        message:
          `${what} is not in browsers: have the caller pass what it gives, or move this to io/.`,
      });
    const imported = (node: Deno.lint.Node, source: Deno.lint.Node | null) => {
      if (source?.type === "Literal" && String(source.value).startsWith("node:")) {
        report(node, String(source.value));
      }
    };
    return {
      Identifier(node) {
        if (node.name === "Deno" && !isName(node)) report(node, "Deno");
      },
      ImportDeclaration: (node) => imported(node, node.source),
      ImportExpression: (node) => imported(node, node.source),
      ExportAllDeclaration: (node) => imported(node, node.source),
      ExportNamedDeclaration: (node) => imported(node, node.source),
    };
  },
};

/** Whether an identifier only names a property, as in `system.Deno` or `{ Deno: 1 }`. */
function isName(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  return parent.type === "Property" && parent.key === node && !parent.computed &&
    parent.value !== node;
}
