/**
 * A lint rule: no module keeps state. What changes belongs to an object that somebody owns: a `Gpu`, a
 * network, a run.
 *
 * @module
 */
import { isIn, pathBelow, ROOT } from "./paths.ts";

const PRODUCT = ["gpu", "tensor", "kernels", "nn", "models", "io", "data", "train", "eval", "cli"];

/** Variables of modules that may change, each with the reason. */
export const ALLOWED: Readonly<Record<string, string>> = {
  "gpu/gpu.ts current": "which Gpu ops are for, so that they need not be told",
  "tensor/op.ts recording": "whether a graph is recorded: to move into the context of a pass",
  "nn/flat.ts flats": "finds the buffer that a parameter lies in by the parameter; it goes with it",
  "eval/resize.ts kept": "weights of a resize, found by all that they were made from",
  "data/jpeg.ts turboModule": "a compiled module, the same for all, made when first needed",
};

/** Methods that change a collection, an array or a view of bytes. */
const CHANGES =
  /^(add|clear|copyWithin|delete|fill|pop|push|reverse|set|set[A-Z]\w*|shift|sort|splice|unshift)$/;

type Node = Deno.lint.Node;

/** Reports module-level `let`, and constants that the module, or one that imports them, changes. */
export const state: Deno.lint.Rule = {
  create(context) {
    const file = pathBelow(ROOT, context.filename);
    if (file.endsWith("_test.ts") || !isIn(file, PRODUCT.map((folder) => `${folder}/`))) return {};
    const constants = new Map<string, Node>(), changed = new Set<string>();
    const report = (node: Node, name: string) => {
      if (`${file} ${name}` in ALLOWED) return;
      const message = `${name} is state of the module: keep it in an object that its user owns.`;
      context.report({ node, message });
    };
    const note = (target: Node) => {
      const root = rootOf(target);
      if (root !== undefined && !isLocal(target, root)) changed.add(root);
    };
    return {
      Program({ body }) {
        for (const statement of body) {
          for (const [name, node, mutable] of declaredBy(statement)) {
            if (mutable) report(node, name);
            else constants.set(name, node);
          }
        }
      },
      AssignmentExpression: ({ left }) => note(left),
      UpdateExpression: ({ argument }) => note(argument),
      UnaryExpression({ operator, argument }) {
        if (operator === "delete") note(argument);
      },
      CallExpression({ callee }) {
        if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
        if (CHANGES.test(callee.property.name)) note(callee);
      },
      "Program:exit"() {
        for (const [name, node] of constants) if (changed.has(name)) report(node, name);
      },
    };
  },
};

/** What a statement of a module declares or imports: name, node, and whether it is a `let` or `var`. */
function* declaredBy(statement: Node): Generator<[name: string, node: Node, mutable: boolean]> {
  if (statement.type === "ImportDeclaration") {
    for (const { local } of statement.specifiers) yield [local.name, local, false];
  }
  const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (declared?.type !== "VariableDeclaration") return;
  for (const { id } of declared.declarations) {
    for (const name of namesOf(id)) yield [name, declared, declared.kind !== "const"];
  }
}

function namesOf(pattern: Node): string[] {
  if (pattern.type === "Identifier") return [pattern.name];
  if (pattern.type === "ArrayPattern") {
    return pattern.elements.flatMap((part) => part ? namesOf(part) : []);
  }
  if (pattern.type !== "ObjectPattern") return [];
  return pattern.properties.flatMap((part) => part.type === "Property" ? namesOf(part.value) : []);
}

/** The variable that a place belongs to: `a` of `a.b[c].d`; none where it is not a place in one. */
function rootOf(place: Node): string | undefined {
  if (place.type !== "MemberExpression") return;
  let root: Node = place;
  while (root.type === "MemberExpression" || root.type === "TSNonNullExpression") {
    root = root.type === "MemberExpression" ? root.object : root.expression;
  }
  return root.type === "Identifier" ? root.name : undefined;
}

/** Whether a function, block or loop around a place declares that name. */
function isLocal(place: Node, name: string): boolean {
  for (
    let node = place as Around | undefined;
    node && node.type !== "Program";
    node = node.parent
  ) {
    const { params = [], body, left, init } = node;
    const statements = node.type === "BlockStatement" ? body as Node[] : [left, init];
    const declared = statements.flatMap((statement) =>
      statement ? Array.from(declaredBy(statement), ([declared]) => declared) : []
    );
    if ([...params.flatMap(namesOf), ...declared].includes(name)) return true;
  }
  return false;
}

/** What may be around a place: functions, blocks and loops declare names. */
interface Around {
  readonly type: string;
  readonly params?: readonly Node[];
  readonly body?: unknown;
  readonly left?: Node;
  readonly init?: Node;
  readonly parent?: Around;
}
