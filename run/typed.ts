/** The program as the user called it: `./gan`, where the script of that name says so. */
export function asTyped(text: string): string {
  const typed = Deno.env.get("GAN_COMMAND");
  return typed ? text.replace(/(?<![\w./-])gan (?=[a-z])/g, () => `${typed} `) : text;
}
