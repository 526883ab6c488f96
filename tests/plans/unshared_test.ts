/** All products and convolutions with every invocation loading for itself, as without subgroups. */
import { checkWith } from "./checks.ts";

await checkWith({ share: "none" });
