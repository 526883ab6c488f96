/** The least room for what is said in a second column. */
const ROOM = 24;

/**
 * Wraps the lines of a help text that are too wide. What stands in a second column, behind two spaces or
 * more, stays there, or goes below where too little room is left for it.
 *
 * @param width Columns of the terminal.
 */
export function fit(text: string, width: number): string {
  return text.split("\n").flatMap((line) => fitLine(line, width)).join("\n");
}

function fitLine(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  const [, indent, head, gap = "", rest = ""] = /^( *)(\S.*?)(?:( {2,})(\S.*))?$/.exec(line)!;
  const before = indent + head + gap;
  if (gap === "") return lines(indent, " ".repeat(indent.length), head, width);
  if (before.length + ROOM <= width) return lines(before, " ".repeat(before.length), rest, width);
  const below = " ".repeat(indent.length + 4);
  return [...fitLine(indent + head, width), ...lines(below, below, rest, width)];
}

/** The words of a text, after `first` and, in further lines, after `next`. */
function lines(first: string, next: string, text: string, width: number): string[] {
  const made: string[] = [];
  let line = first, empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + 1 + word.length > width) {
      made.push(line);
      [line, empty] = [next, true];
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...made, line];
}
