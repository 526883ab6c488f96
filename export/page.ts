/**
 * A generator as a page: one HTML file with weights, kernels and controls, that makes images by WebGPU in
 * the browser of whoever opens it.
 *
 * @module
 */
import page from "./page/page.html" with { type: "text" };
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { naming, writeAtomically } from "../io/write_atomically.ts";
import { toEntries } from "../nn/checkpoint.ts";
import { ExportError } from "./errors.ts";
import type { PageData } from "./page/data.ts";
import { aboutOf, type Exported, publicOptions } from "./save.ts";

/** This program's own code for the browser, as one script. */
async function script(): Promise<string> {
  const folder = await Deno.makeTempDir(), to = `${folder}/page.js`;
  const [config, view] = ["../deno.json", "./page/view.ts"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url))
  );
  const args = ["bundle", "--quiet", "--minify", "--platform", "browser", "--config", config];
  try {
    const deno = Deno.build.standalone ? "deno" : Deno.execPath();
    const { success, stderr } = await new Deno.Command(deno, { args: [...args, "-o", to, view] })
      .output()
      .catch(({ message }) => ({ success: false, stderr: new TextEncoder().encode(message) }));
    if (success) return await Deno.readTextFile(to);
    throw new ExportError(
      `deno bundle cannot make the page's script; run gan export page in a clone of the program, ` +
        `the first time with a network: ${new TextDecoder().decode(stderr).trim()}`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function escaped(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (c) => names[c]);
}

/**
 * Writes the page.
 *
 * @throws {ExportError} If its script cannot be made here.
 */
export async function savePage(exported: Exported, path: string): Promise<void> {
  const { G, stage } = exported, options = publicOptions(exported.options);
  const entries = [...await toEntries(G.named())];
  const data: PageData = {
    options,
    stage,
    tensors: entries.map(([name, { shape }]) => [name, shape]),
  };
  const weights = entries.map(([, { data: { buffer, byteOffset, byteLength } }]) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  );
  const code = await script(), hash = createHash("sha256").update(code).digest("base64");
  const about: Record<string, string> = {
    POLICY:
      `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`,
    TITLE: escaped(`${options.recipe.toUpperCase()}, ${options.data || "built-in emoji"}`),
    ABOUT: escaped(aboutOf(exported)),
  };
  // Replacements that are functions: "$&" in what is put in means nothing then.
  const filled = page
    .replace(/\$([A-Z]+)\b/g, (_, name) => about[name])
    .replace('id="data">', (tag) => tag + JSON.stringify(data).replaceAll("<", "\\u003c"))
    .replace('id="weights">', (tag) => tag + Buffer.concat(weights).toString("base64"))
    .replace('id="script">', (tag) => tag + code);
  await naming(path, () => writeAtomically(path, new TextEncoder().encode(filled)));
}
