import type { Indicator } from "./define-indicator.ts";
import { r003 } from "./r003.ts";
import { r018 } from "./r018.ts";
import { r024 } from "./r024.ts";
import { r025 } from "./r025.ts";
import { r028 } from "./r028.ts";
import { r030 } from "./r030.ts";
import { r035 } from "./r035.ts";
import { r036 } from "./r036.ts";
import { r038 } from "./r038.ts";
import { r048 } from "./r048.ts";
import { r058 } from "./r058.ts";

/** Ordered by code. */
export const indicators: readonly Indicator[] = [r003, r018, r024, r025, r028, r030, r035, r036, r038, r048, r058];
