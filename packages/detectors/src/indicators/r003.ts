import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { examplePeriod, exampleRelease } from "./example-releases.ts";
import { finishProcessFlags, flagProcess, mergeProcessFlags, startProcessFlags } from "./process-flags.ts";
import { parseRfc3339, wholeDaysBetween } from "./rfc3339.ts";
import { daysByNameSetting, integerSetting, listSetting } from "./setting-types.ts";
import { matchesMethod } from "./submitted-bids.ts";
import { addCount } from "./tally.ts";

export const r003 = defineIndicator({
  code: "R003",
  name: "short-submission-period",
  title: "Prazo curto para apresentar propostas",
  question: "O prazo entre a abertura e o encerramento das propostas é menor que o mínimo?",
  subjects: "processos",
  method:
    "Dias inteiros, truncados, de /tender/tenderPeriod/startDate a endDate. Dispara quando são menos que threshold, " +
    "ou que o número de dias dado ao nome do procedimento em procurement_method_details. O valor é sempre 1.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "art. 55", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R003"],
  exclusions: ["Modalidade fora de procurement_methods, quando a lista não é vazia."],
  assumptions: [
    "As datas trazem hora e fuso; sem isso o processo não é calculável.",
    "O limite vem das configurações, em dias corridos: o da lei conta dias úteis e varia com o objeto.",
    "Um prazo negativo, com fim antes do início, também é apontado: pode ser erro de registro.",
  ],
  innocentExplanations: [
    "Emergência que permite prazo menor.",
    "Republicação do edital com devolução parcial do prazo.",
    "Data de abertura ou de encerramento registrada com erro.",
  ],
  settings: z.strictObject({
    threshold: integerSetting.default(15).describe("dias abaixo dos quais o prazo é curto"),
    procurement_methods: listSetting.default(new Set()).describe("modalidades olhadas; vazio: todas"),
    procurement_method_details: daysByNameSetting.default(new Map()).describe("limite próprio por procedimento"),
  }),
  fold: {
    name: "r003",
    start: startProcessFlags,
    merge: mergeProcessFlags,
    add: (state, release, settings) => {
      const { procurement_methods: methods, procurement_method_details: daysOf } = settings;
      if (!matchesMethod(release, methods)) {
        return addCount(state.tally.excluded, "modalidade fora da lista");
      }
      const start = parseRfc3339(release.tenderPeriodStart ?? "");
      const end = parseRfc3339(release.tenderPeriodEnd ?? "");
      if (start === null || end === null) {
        return addCount(state.tally.notComputable, "sem início e fim do prazo com data, hora e fuso");
      }
      state.tally.tested += 1;
      const limit = daysOf.get(release.procurementMethodDetails ?? "") ?? settings.threshold;
      if (wholeDaysBetween(start, end) < limit) flagProcess(state, release.ocid, 1);
    },
  },
  finish: (state) => finishProcessFlags(state),
  examples: [
    {
      title: "aponta catorze dias e não quinze, contados por inteiro",
      releases: [
        exampleRelease("14", { tender: examplePeriod("2024-01-01T00:00:00-03:00", "2024-01-15T23:59:59-03:00") }),
        exampleRelease("15", { tender: examplePeriod("2024-01-01T00:00:00-03:00", "2024-01-16T00:00:00-03:00") }),
        exampleRelease("fuso", { tender: examplePeriod("2024-01-01T00:00:00-03:00", "2024-01-16T00:00:00Z") }),
        exampleRelease("negativo", { tender: examplePeriod("2024-02-01T00:00:00Z", "2024-01-01T00:00:00Z") }),
      ],
      expected: { OCID: { "14": { R003: 1 }, fuso: { R003: 1 }, negativo: { R003: 1 } } },
    },
    {
      title: "não calcula sem hora, sem fuso ou com dia que não existe",
      releases: [
        exampleRelease("sem-hora", { tender: examplePeriod("2024-01-01", "2024-01-02") }),
        exampleRelease("sem-fuso", { tender: examplePeriod("2024-01-01T00:00:00", "2024-01-02T00:00:00") }),
        exampleRelease("31-02", { tender: examplePeriod("2024-02-31T00:00:00Z", "2024-03-01T00:00:00Z") }),
        exampleRelease("sem-fim", { tender: { tenderPeriod: { startDate: "2024-01-01T00:00:00Z" } } }),
        exampleRelease("sem-nada"),
      ],
      expected: {},
    },
    {
      title: "usa o limite do procedimento e só as modalidades da lista",
      settings: "[R003]\nprocurement_methods = open|\n[R003.procurement_method_details]\nPregão Eletrônico = 5\n",
      releases: [
        ...["Pregão Eletrônico", "Concorrência"].map((procurementMethodDetails) =>
          exampleRelease(procurementMethodDetails, {
            tender: {
              procurementMethod: "open",
              procurementMethodDetails,
              ...examplePeriod("2024-01-01T00:00:00Z", "2024-01-09T00:00:00Z"),
            },
          }),
        ),
        exampleRelease("sem-modalidade", { tender: examplePeriod("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z") }),
      ],
      expected: { OCID: { Concorrência: { R003: 1 } } },
    },
  ],
});
