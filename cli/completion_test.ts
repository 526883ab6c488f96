import { assert, assertEquals } from "@std/assert";
import { completionCommand } from "./completion.ts";
import { bash, type Commands, fish } from "./completion_scripts.ts";

async function scriptOf(shell: string): Promise<string> {
  const lines: string[] = [];
  assertEquals(await completionCommand([shell], (line) => lines.push(line)), 0);
  return lines.join("\n");
}

/** What bash offers for the last of those words, by its own `complete`. */
async function offered(script: string, words: readonly string[]): Promise<string[]> {
  const program = `${script}\ncomplete -p gan >/dev/null || exit 1
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gan; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ["--norc", "-c", program, "bash", ...words];
  const { success, stdout, stderr } = await new Deno.Command("bash", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n").filter(Boolean);
}

Deno.test({
  name: "completion: bash offers commands, options, their values, and files for the rest",
  ignore: Deno.build.os === "windows",
  async fn() {
    const script = await scriptOf("bash"),
      of = (...words: string[]) => offered(script, ["gan", ...words]);
    assertEquals(await of("tr"), ["train"]);
    assertEquals(await of("train", "p"), ["pggan"]);
    assertEquals(await of("train", "dcgan", "--lr"), ["--lr-g", "--lr-d", "--lr-end"]);
    assertEquals(await of("train", "--precision", ""), ["f32", "f16"]);
    assertEquals(await of("train", "--data", "l"), []);
    assertEquals(await of("eval", "ki"), ["kid"]);
    assertEquals(await of("no-such-command", "-"), []);
    assert((await of("")).includes("completion"));
  },
});

const COMMANDS: Commands = {
  go: {
    options: [
      { name: "how", kind: "text", help: "fast's \\ slow", choices: ["fast", "slow"] },
      { name: "to", kind: "text", help: "file" },
      { name: "dry", kind: "flag", help: "do nothing" },
    ],
    words: ["home"],
  },
};

Deno.test("completion: fish shows help beside options", () => {
  const of = 'complete -c gan -n "__fish_seen_subcommand_from go"';
  assertEquals(fish(COMMANDS).trim().split("\n").slice(1), [
    "complete -c gan -n __fish_use_subcommand -f -a go",
    `${of} -a "home"`,
    `${of} -l how -x -a "fast slow" -d 'fast\\'s \\\\ slow'`,
    `${of} -l to -r -d 'file'`,
    `${of} -l dry -d 'do nothing'`,
  ]);
});

Deno.test("completion: zsh is given bash's script", async () => {
  const script = await scriptOf("zsh");
  assert(script.includes("bashcompinit"));
  assert(script.includes((await scriptOf("bash")).split("\n").slice(1).join("\n")));
  assert(bash(COMMANDS).includes('--how) words="fast slow"'));
});
