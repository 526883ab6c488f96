/** What CONTRIBUTING.md shows of files is in them. */
import { assertEquals } from "@std/assert";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));

/** Lines that a worked change shows, with their files. */
function shown(text: string): { file: string; line: string }[] {
  return [...text.matchAll(/```diff\n(.*?)```/gs)].flatMap(([, diff]) => {
    let file = "";
    return diff.split("\n").flatMap((line) => {
      if (line.startsWith("+++ ")) file = line.slice(4);
      else if (line.startsWith("+")) return [{ file, line: line.slice(1) }];
      return [];
    });
  });
}

Deno.test("each line of the worked changes in CONTRIBUTING.md is a line of its file", () => {
  const lines = shown(read("CONTRIBUTING.md"));
  assertEquals(new Set(lines.map(({ file }) => file)).size, 15);
  const missing = lines.filter(({ file, line }) => !read(file).split("\n").includes(line));
  assertEquals(missing, []);
});
