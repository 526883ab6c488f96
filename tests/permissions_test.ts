/** What the script `gan` and the tasks let a command do: files, and a network for weights alone. */
import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { inFolder } from "./support.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FILES = ["--allow-env", "--allow-read", "--allow-sys", "--allow-write"];
const SHORT: Readonly<Record<string, string>> = {
  ...{ "-R": "--allow-read", "-W": "--allow-write", "-E": "--allow-env", "-S": "--allow-sys" },
};

/** The permissions among Deno's arguments. */
function granted(args: readonly string[]): string[] {
  return args.map((arg) => SHORT[arg] ?? arg)
    .filter((arg) => /^(-A|-N|--allow-)/.test(arg)).sort();
}

Deno.test({
  name: "gan: only weights has a network, the others run deno and npm",
  ignore: Deno.build.os === "windows", // which has no sh
  fn: () =>
    inFolder(async (folder) => {
      const deno = join(folder, "deno");
      await Deno.writeTextFile(
        deno,
        '#!/bin/sh\n[ "$1" = --version ] && echo "deno 2.99.0" || printf "%s\\n" "$@"\n',
      );
      await Deno.chmod(deno, 0o755);
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}`, VK_DRIVER_FILES: "named" };
      for (
        const command of ["train", "eval", "thesis", "weights", "sample", "runs", "export", ""]
      ) {
        const args = [join(ROOT, "gan"), ...command && [command], "word"];
        const { stdout } = await new Deno.Command("sh", { args, env }).output();
        const more = command === "weights" ? "--allow-net" : "--allow-run=deno,npm";
        const lines = new TextDecoder().decode(stdout).split("\n");
        assertEquals(granted(lines), [...FILES, more].sort(), command);
      }
      const args = [join(ROOT, "gan"), "weights", "face"];
      const { stdout } = await new Deno.Command("sh", { args, env }).output();
      const lines = new TextDecoder().decode(stdout).split("\n");
      assertEquals(granted(lines), [...FILES, "--allow-run=deno,npm"].sort());
    }),
});

Deno.test("with these permissions the driver is tried as with all", async () => {
  const url = new URL("gpu/engines/vectors.ts", `file://${ROOT}`);
  const code = `import { widthFor } from "${url}";
console.log(await widthFor({ file: undefined, deno: Deno.execPath() }));`;
  const tried = async (...permissions: string[]) => {
    const args = ["run", "--no-prompt", ...permissions, "-"];
    const child = new Deno.Command(Deno.execPath(), {
      args,
      env: { PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}` },
      ...{ stdin: "piped", stdout: "piped" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(code));
    await writer.close();
    return new TextDecoder().decode((await child.output()).stdout).trim();
  };
  const all = await tried("-A");
  assert(all === "512" || all === "256", all);
  assertEquals(await tried(...FILES, "--allow-run=deno,npm"), all);
});

Deno.test("tasks: those of users have no more permissions than the script gives", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const name of ["train", "sample", "report", "timelapse", "eval", "thesis", "doctor"]) {
    assertEquals(granted(tasks[name].split(" ")), [...FILES, "--allow-run=deno,npm"].sort(), name);
  }
});
