import { z } from "zod";
import { defineIndicator } from "./define-indicator.ts";
import { exampleAward, exampleBid, exampleRelease } from "./example-releases.ts";
import { finishProcessFlags, flagProcess, mergeProcessFlags, startProcessFlags } from "./process-flags.ts";
import type { ReleaseFacts } from "./read-release.ts";
import { idsOf } from "./submitted-bids.ts";
import { addCount } from "./tally.ts";

export const r030 = defineIndicator({
  code: "R030",
  name: "late-bid-won",
  title: "Venceu proposta registrada depois do prazo",
  question: "A proposta vencedora foi registrada depois do encerramento do prazo?",
  subjects: "processos",
  method:
    "Dispara quando a data de uma proposta válida é, como texto, maior que /tender/tenderPeriod/endDate e um de seus " +
    "licitantes é fornecedor de adjudicação ativa. O valor é 1, também para o licitante.",
  legalBasis: [{ norm: "Lei 14.133/2021", article: "arts. 5º e 55", validFrom: "2021-04-01", validTo: null }],
  references: ["OCP Red Flags R030"],
  exclusions: ["Propostas convidadas, retiradas, pendentes ou desclassificadas."],
  assumptions: [
    "As datas do processo estão na mesma notação e no mesmo fuso, porque são comparadas como texto.",
    "A data da proposta é a da entrega, e não a de um lance ou de um ajuste posterior.",
  ],
  innocentExplanations: [
    "Prazo prorrogado sem que o registro tenha sido atualizado.",
    "Data da proposta regravada na fase de lances ou de negociação.",
    "Instabilidade do sistema que deslocou o encerramento.",
  ],
  settings: z.strictObject({}),
  fold: {
    name: "r030",
    start: startProcessFlags,
    merge: mergeProcessFlags,
    add: (state, release) => {
      const late = lateWinners(release);
      if (typeof late === "string") return addCount(state.tally.notComputable, late);
      state.tally.tested += 1;
      if (late.length > 0) flagProcess(state, release.ocid, 1, late);
    },
  },
  finish: (state) => finishProcessFlags(state, { value: 1, map: "ocid_tenderer_r030" }),
  examples: [
    {
      title: "aponta o vencedor que chegou tarde, e não quem chegou tarde e perdeu",
      releases: [
        exampleLate("tarde", "A", "2024-01-31T10:00:01Z"),
        exampleLate("no-prazo", "A", "2024-01-31T10:00:00Z"),
        exampleLate("perdeu", "B", "2024-02-01T10:00:00Z"),
      ],
      expected: { OCID: { tarde: { R030: 1 } }, Tenderer: { A: { R030: 1 } } },
    },
    {
      title: "não calcula sem prazo, sem data da proposta ou sem adjudicação ativa",
      releases: [
        { ...exampleLate("sem-prazo", "A", "2024-02-01T10:00:00Z"), tender: {} },
        exampleLate("sem-data", "A", null),
        { ...exampleLate("cancelada", "A", "2024-02-01T10:00:00Z"), awards: [exampleAward("A", "cancelled")] },
        exampleRelease("vazio"),
      ],
      expected: {},
    },
  ],
});

function lateWinners(release: ReleaseFacts): string[] | string {
  const { tenderPeriodEnd, awards, bids } = release;
  if (tenderPeriodEnd === null) return "sem fim do prazo de propostas";
  if (awards === null) return "sem adjudicações";
  if (bids === null) return "sem propostas";
  const active = awards.filter(({ status }) => status === "active");
  const suppliers = new Set(active.flatMap((award) => idsOf(award.suppliers)));
  const winning = bids
    .filter(({ status }) => status === "valid")
    .map(({ date, tenderers }) => ({ date, winners: idsOf(tenderers).filter((id) => suppliers.has(id)) }))
    .filter(({ date, winners }) => date !== null && winners.length > 0);
  if (winning.length === 0) return "sem proposta válida do vencedor com data";
  return winning.flatMap(({ date, winners }) => (date! > tenderPeriodEnd ? winners : []));
}

function exampleLate(ocid: string, tenderer: string, date: string | null) {
  return exampleRelease(ocid, {
    tender: { tenderPeriod: { endDate: "2024-01-31T10:00:00Z" } },
    bids: { details: [{ ...exampleBid(tenderer, 10), ...(date === null ? {} : { date }) }] },
    awards: [exampleAward("A")],
  });
}
