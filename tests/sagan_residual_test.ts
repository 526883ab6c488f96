/** SAGAN with residual blocks, held against PyTorch. */
import { checkSagan } from "./sagan_oracle.ts";

await checkSagan("sagan_residual", { residual: true });
