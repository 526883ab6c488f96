/** What the command line makes of words that are nearly right. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../main.ts";

/** The exit code and what is said on stderr. */
async function said(line: string): Promise<[number, string]> {
  const lines: string[] = [], { error } = console;
  console.error = (text: string) => void lines.push(text);
  try {
    return [await main(line.split(" ")), lines.join("\n")];
  } finally {
    console.error = error;
  }
}

for (
  const [line, meant] of [
    ["trian dcgan", "train"],
    ["--verison", "--version"],
    ["train dcgna", "dcgan"],
    ["train dcgan --kmig 1", "--kimg"],
    ["train dcgan --no-miror", "--mirror"],
    ["train dcgan --preset smal", "small"],
    ["train dcgan --loss hige", "hinge"],
    ["train dcgan --augment colour", "color"],
    ["train dcgan --eval-every 1 --eval-metrics fdi", "fid"],
    ["eval fdi", "fid"],
    ["export pag latest", "page"],
    ["runs mr", "rm"],
    ["cache cler", "clear"],
    ["completion bsh", "bash"],
  ]
) {
  Deno.test(`"${line}" is asked about: did you mean ${meant}?`, async () => {
    const [code, text] = await said(line);
    assertEquals(code, 2, text);
    assertStringIncludes(text, `did you mean ${meant}?`);
  });
}
