/**
 * A `deno lint` plugin that holds the layers apart: a folder imports only from those to its left,
 * WebGPU's objects stay in `gpu/`, a shader belongs to its neighbour, only `mod.ts` re-exports, what only
 * Deno has stays where files are dealt with, modules keep no state, files and functions stay short.
 *
 * @module
 */
import { host } from "./host.ts";
import { pathBelow, ROOT } from "./paths.ts";
import { size } from "./size.ts";
import { state } from "./state.ts";

const CORE = ["gpu", "tensor", "kernels", "nn", "models"];
/** Stands beside all layers: file formats know no tensor, module or image. */
const IO = "io";

/** What each layer may import from, besides itself; folders that are not listed may do as they like. */
const MAY: Record<string, string[]> = {
  ...Object.fromEntries(CORE.map((layer, i) => [layer, CORE.slice(0, i)])),
  nn: ["gpu", "tensor", "kernels", IO],
  [IO]: [],
  data: ["gpu", "tensor", "kernels", "nn", IO],
  eval: [...CORE, IO, "data"],
  train: [...CORE, IO, "data"],
  run: [...CORE, IO, "data", "train"],
  export: [...CORE, IO, "data", "train", "run"],
};
const FREE = ["compat", "deno.json"]; // the latter for the version

/** What is wrong with `file` importing `specifier`, if anything is. */
function faultOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return;
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (target.endsWith(".wgsl") && target !== file.replace(/\.ts$/, ".wgsl")) {
    return `Only ${
      target.replace(/\.wgsl$/, ".ts")
    } imports ${target}: call its functions instead.`;
  }
  const [from, to] = [file, target].map((path) => path.split("/", 1)[0]);
  if (!MAY[from] || file.endsWith("_test.ts")) return;
  if (to === from || MAY[from].includes(to) || FREE.includes(to)) return;
  const may = [...MAY[from], from].join(", ");
  return `${from}/ may import from ${may}, not from ${to}: move what both need to the left.`;
}

/** Six rules: `layers/imports`, `gpu`, `reexport`, `host`, `size` and `state`. */
const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    host,
    size,
    state,
    imports: {
      create(context) {
        const file = pathBelow(ROOT, context.filename);
        const check = (node: Deno.lint.Node, source: Deno.lint.Node | null) => {
          if (source?.type !== "Literal" || typeof source.value !== "string") return;
          const message = faultOf(file, source.value);
          if (message) context.report({ node, message });
        };
        return {
          ImportDeclaration: (node) => check(node, node.source),
          ImportExpression: (node) => check(node, node.source),
          ExportAllDeclaration: (node) => check(node, node.source),
          ExportNamedDeclaration: (node) => check(node, node.source),
        };
      },
    },
    gpu: {
      create(context) {
        if (pathBelow(ROOT, context.filename).startsWith("gpu/")) return {};
        const report = (node: Deno.lint.Node, name: string) =>
          context.report({ node, message: `${name} belongs in gpu/: call what gpu/ exports.` });
        return {
          Identifier(node) {
            if (/^GPU(Device|Buffer)$/.test(node.name)) report(node, node.name);
          },
          MemberExpression({ object, property }) {
            const names = [object, property].map((node) => node.type === "Identifier" && node.name);
            if (names.join(".") === "navigator.gpu") report(object, "navigator.gpu");
          },
        };
      },
    },
    reexport: {
      create(context) {
        if (pathBelow(ROOT, context.filename) === "mod.ts") return {};
        const message = "Only mod.ts re-exports: import from where it is declared.";
        return {
          ExportAllDeclaration: (node) => context.report({ node, message }),
          ExportNamedDeclaration(node) {
            if (node.source) context.report({ node, message });
          },
        };
      },
    },
  },
};

export default plugin;
