import { AGENCIES_MAX } from "@cidadao/domain/investigation";
import { OPENING_POINTS_DEFAULT } from "@cidadao/domain/opening-rule";
import { z } from "zod";

/** SIAFI codes: the agencies with the largest federal contracting, direct units of ministries listed by their own code. */
const defaultAgencies = [
  "36000", // Ministério da Saúde
  "36201", // Fundação Oswaldo Cruz
  "26443", // Ebserh
  "26298", // FNDE
  "39252", // DNIT
  "22204", // DNOCS
  "46000", // Ministério da Gestão e da Inovação
  "25000", // Ministério da Fazenda
  "52121", // Comando do Exército
  "52111", // Comando da Aeronáutica
  "52131", // Comando da Marinha
  "30108", // Polícia Federal
  "30911", // Fundo Nacional de Segurança Pública
  "30802", // Polícia Rodoviária Federal
  "37202", // INSS
  "26271", // Universidade de Brasília
];

export const watchConfig = z.object({
  WATCHED_AGENCIES: z
    .string()
    .transform((text) => text.split(",").map((code) => code.trim()))
    .pipe(
      z
        .array(z.string().regex(/^\d{5}$/, "name SIAFI organ codes of 5 digits, separated by commas"))
        .min(1)
        .max(AGENCIES_MAX),
    )
    .default(defaultAgencies)
    .describe(
      "SIAFI codes of the priority agencies that the scheduled scans read, separated by commas; default: 16 large ones",
    ),
  OPENING_POINTS: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(OPENING_POINTS_DEFAULT)
    .describe(
      "Points from which a new contract opens an investigation: value 2-3, direct award 1-3, single bidder 2, watched 3",
    ),
});
