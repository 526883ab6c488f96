/** All products and convolutions with every invocation loading for itself, as without subgroups. */
import { checkWith } from "./checks.ts";

await checkWith({ share: "none" });
await import("../r3gan_test.ts"); // by the other plans its steps take long, and each of its ops is checked
