import { pathBelow, ROOT } from "./paths.ts";

/** Lines that a file and a function may have; tests may have more. */
const FILE = 300, FUNCTION = 60;

/** Reports files and functions that are longer than a reader takes in. */
export const size: Deno.lint.Rule = {
  create(context) {
    const file = pathBelow(ROOT, context.filename), { text } = context.sourceCode;
    if (file.startsWith("tests/") || file.endsWith("_test.ts")) return {};
    const measure = (node: Deno.lint.Node, what: string, most: number, part: string) => {
      const lines = part.trimEnd().split("\n").length;
      if (lines <= most) return;
      const message = `${what} of ${lines} lines, expected at most ${most}: split it.`;
      context.report({ node, message });
    };
    const ofFunction = (node: Deno.lint.Node) =>
      measure(node, "A function", FUNCTION, text.slice(...node.range));
    return {
      Program: (node) => measure(node, "A file", FILE, text),
      FunctionDeclaration: ofFunction,
      FunctionExpression: ofFunction,
      ArrowFunctionExpression: ofFunction,
    };
  },
};
