/** SAGAN on DCGAN's ladder, held against PyTorch. */
import { checkSagan } from "./sagan_oracle.ts";

await checkSagan("sagan");
