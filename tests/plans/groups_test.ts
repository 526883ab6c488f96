/** All sums by workgroups together, as on a GPU. */
import { forceVariant } from "../../kernels/variant.ts";

forceVariant("group");
await import("../../kernels/reduce_test.ts");
await import("../../kernels/batch_norm_test.ts");
await import("../../kernels/softmax_test.ts");
await import("../../kernels/totals_test.ts");
await import("../dcgan_test.ts");
