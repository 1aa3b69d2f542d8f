import { z } from "zod";

/** Settings come as the text of a file or as values; both forms are read. */
export const integerSetting = z.union(
  [
    z.int(),
    z
      .string()
      .regex(/^[+-]?\d{1,15}$/)
      .transform(Number),
  ],
  { error: "must be a whole number" },
);

export const countSetting = z.union(
  [
    z.int().nonnegative(),
    z
      .string()
      .regex(/^\+?\d{1,15}$/)
      .transform(Number),
  ],
  { error: "must be a whole number, zero or more" },
);

export const decimalSetting = z.union(
  [
    z.number(),
    z
      .string()
      .regex(/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/)
      .transform(Number)
      .refine(Number.isFinite),
  ],
  { error: "must be a number with a decimal point, such as 0.05" },
);

export const textSetting = z.string({ error: "must be text" });

/** "a|b" is a and b; a bar at the end adds nothing; the names are taken as they are, spaces and all. */
export const listSetting = z.union(
  [
    z.array(z.string()).transform((names) => new Set(names)),
    z.string().transform((text) => {
      const names = text.split("|");
      return new Set(names.at(-1) === "" ? names.slice(0, -1) : names);
    }),
  ],
  { error: "must be names separated by |" },
);

/** INI files are read with "true" and "false" as values already. */
export const switchSetting = z.union(
  [
    z.boolean(),
    z
      .string()
      .regex(/^(?:true|false|on|off|yes|no|1|0)$/i)
      .transform((text) => /^(?:true|on|yes|1)$/i.test(text)),
  ],
  { error: "must be true or false" },
);

export const daysByNameSetting = z
  .record(z.string(), integerSetting, { error: "must be a section of name = days" })
  .transform((days) => new Map(Object.entries(days)));
