/**
 * A page of headings, paragraphs, tables and figures, as Markdown and as HTML with the same content.
 *
 * @module
 */

/** A part of a page. Texts may hold `code`, *emphasis* and **strong emphasis**. */
export type Block =
  | { readonly kind: "heading"; readonly level: 1 | 2; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "figure"; readonly file: string; readonly text: string }
  | {
    readonly kind: "table";
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
  };

/** As Markdown. */
export function markdown(blocks: readonly Block[]): string {
  return blocks.map((block) => {
    if (block.kind === "heading") return `${"#".repeat(block.level)} ${block.text}\n`;
    if (block.kind === "code") return `\`\`\`sh\n${block.text}\n\`\`\`\n`;
    if (block.kind === "figure") return `![${block.text}](${block.file})\n`;
    if (block.kind === "text") return `${block.text}\n`;
    const line = (cells: readonly string[]) =>
      `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    return [line(block.head), line(block.head.map(() => "---")), ...block.rows.map(line), ""]
      .join("\n");
  }).join("\n");
}

const STYLE = `:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #8884; }
figure { margin: 1rem 0; }
img { max-width: 100%; }
img[src$=".png"] { image-rendering: pixelated; width: 512px; }
pre { white-space: pre-wrap; }`;

const POLICY = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'";

/** As a page that loads nothing but its figures. */
export function html(blocks: readonly Block[]): string {
  const title = blocks.find((block) => block.kind === "heading")?.text ?? "";
  return [
    `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width">`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<title>${escape(title)}</title>\n<style>\n${STYLE}\n</style>\n</head>\n<body>`,
    ...blocks.map(element),
    "</body>\n</html>\n",
  ].join("\n");
}

function element(block: Block): string {
  if (block.kind === "heading") return `<h${block.level}>${escape(block.text)}</h${block.level}>`;
  if (block.kind === "code") return `<pre><code>${escape(block.text)}</code></pre>`;
  if (block.kind === "text") return `<p>${inline(block.text)}</p>`;
  if (block.kind === "figure") {
    return `<figure><img src="${escape(block.file)}" alt="${escape(block.text)}"><figcaption>${
      escape(block.text)
    }</figcaption></figure>`;
  }
  const row = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>\n${row("th", block.head)}\n${
    block.rows.map((cells) => row("td", cells)).join("\n")
  }\n</table>`;
}

function inline(text: string): string {
  return escape(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\*([^*]+)\*/g, "<em>$1</em>");
}

/** Text as it stands in HTML and SVG. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
