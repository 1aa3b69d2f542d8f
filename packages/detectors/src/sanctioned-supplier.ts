import type { LegalReference } from "@cidadao/domain/anomaly";
import type { Contract } from "@cidadao/domain/contract";
import { formatDate, type IsoDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { sanctionLists, type Sanction } from "@cidadao/domain/sanction";
import { cnpjRoot, formatCnpj } from "@cidadao/domain/tax-id";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import {
  contractRecord,
  contractSubject,
  fact,
  inForceOn,
  partiesOf,
  RECORDS_MAX,
  sanctionRecord,
} from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleKey, exampleSanction } from "./examples.ts";
import { contractAt, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import { NONE } from "./frame/dictionary.ts";
import { scopeTowardsBuyer } from "./sanction-scope.ts";
import { answerContract } from "./tally.ts";
import { excluded, fired, type FlagDescription, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis: LegalReference[] = [
  { norm: "Lei 14.133/2021", article: "arts. 14, III, 91, §4º, e 156", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "arts. 87, III e IV, e 97", validFrom: "1993-06-22", validTo: "2023-12-30" },
  { norm: "Lei 10.520/2002", article: "art. 7º", validFrom: "2002-07-18", validTo: "2023-12-30" },
];

const BRANCH_STRENGTH = 0.5;
const NARROWER_IN_WORDS_STRENGTH = 0.75;

export const sanctionedSupplier = defineDetector({
  id: "sanctioned-supplier",
  version: 3,
  title: "Contrato assinado com fornecedor sob sanção vigente",
  question: "Na data da assinatura, o fornecedor estava proibido de contratar com o comprador?",
  subjects: "contratos",
  method:
    "O CNPJ do contrato é procurado no CEIS e no CNEP. Dispara quando a sanção já tinha começado e não tinha " +
    "terminado na data da assinatura, e o seu alcance inclui o comprador. O alcance vem da lei que fundamenta a " +
    "sanção: inidoneidade e a proibição da Lei 12.529 valem em todas as esferas, e a inidoneidade declarada pelo " +
    "TCU só na federal; impedimento vale no ente que o aplicou, que é a União, o Estado ou o Município; suspensão " +
    "do art. 87, III, vale no órgão que a aplicou; multa não impede contratar; improbidade segue a decisão. A força da evidência é 1 para o CNPJ exato e metade quando a sanção está em outro estabelecimento " +
    "da mesma pessoa jurídica; vale três quartos disso quando o alcance publicado é mais estreito que o da lei.",
  legalBasis,
  references: ["OCP Red Flags R046", "CEIS e CNEP, Controladoria-Geral da União"],
  exclusions: [
    "Fornecedor sob sigilo, estrangeiro, órgão público ou de código desconhecido.",
    "Pessoa física: o CPF mascarado não permite comparação exata.",
  ],
  assumptions: [
    "O comprador de esfera não informada é tratado como do Executivo federal.",
    "As listas não dão o código do Município: é o mesmo quando o Estado e o nome são os mesmos; se o nome não o diz, não se calcula.",
    "Contratos de Estados e Municípios pagos com recursos federais não são reconhecidos nos dados.",
    "As listas mostram as sanções de hoje: a que foi retirada depois de suspensa ou anulada não aparece.",
    "Sem as duas listas lidas por inteiro, a ausência do fornecedor não quer dizer nada.",
  ],
  innocentExplanations: [
    "A sanção estava suspensa por decisão judicial na data da assinatura.",
    "Contrato de licitação encerrada antes do início da sanção.",
    "Fornecedor único de serviço essencial, contratado por falta de alternativa.",
    "Reabilitação concedida e ainda não registrada na lista.",
  ],
  needs: ["contracts", "sanctions"],
  requires: ["supplierTaxId", "signedOn"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({}),
  detect: ({ contracts, sanctions, sanctionListsRead }, _params, tally) => {
    const companies = sanctions.filter(({ taxId, supplierKind }) => taxId?.length === 14 && supplierKind !== "person");
    const sanctionsOf = Map.groupBy(companies, ({ taxId }) => cnpjRoot(taxId!));
    const unread = sanctionLists.filter((list) => !sanctionListsRead.includes(list));
    const unreadVerdict = notComputable(`lista não lida: ${unread.map((list) => list.toUpperCase()).join(", ")}`);
    const bySupplier = Array.from<readonly Sanction[] | undefined>({ length: contracts.suppliersSize });
    const NOBODY: readonly Sanction[] = [];
    for (let row = 0; row < contracts.size; row++) {
      const kind = contracts.supplierKind[row]!;
      const taxId = contracts.supplierTaxId[row]!;
      if (kind !== supplierKindCodes.company || taxId === NONE) {
        answerContract(tally, row, kind === supplierKindCodes.person ? PERSON : NO_CNPJ);
        continue;
      }
      let sanctioned = sanctionsOf.size === 0 ? NOBODY : bySupplier[taxId];
      if (sanctioned === undefined) {
        sanctioned = sanctionsOf.get(cnpjRoot(supplierText(contracts, taxId))) ?? NOBODY;
        bySupplier[taxId] = sanctioned;
      }
      answerContract(
        tally,
        row,
        sanctioned.length > 0
          ? judge(contractAt(contracts, row), sanctioned, unread.length > 0 ? unreadVerdict : null)
          : unread.length > 0
            ? unreadVerdict
            : NOT_FIRED,
      );
    }
  },
  examples: [
    {
      title: "aponta o CNPJ exato com impedimento federal vigente na assinatura, e a filial com menos força",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1"),
          exampleContract("c2", { supplierId: EXAMPLE_CNPJS[1], supplierTaxId: EXAMPLE_CNPJS[1] }),
          exampleContract("c3", { supplierId: EXAMPLE_CNPJS[2], supplierTaxId: EXAMPLE_CNPJS[2] }),
        ],
        sanctions: [exampleSanction("s1")],
        sanctionListsRead: ["ceis", "cnep"],
      }),
      flags: [exampleKey("c1"), exampleKey("c2")],
    },
    {
      title: "não aponta sanção terminada, posterior à assinatura, de outro ente ou só de multa",
      dataset: exampleDataset({
        contracts: [exampleContract("c1")],
        sanctions: [
          exampleSanction("s1", { endsOn: "2024-02-29" }),
          exampleSanction("s2", { startsOn: "2024-03-02" }),
          exampleSanction("s3", { bodySphere: "municipal" }),
          exampleSanction("s4", { list: "cnep", kind: "Multa", legalBasis: ["LEI 12846 - ART. 6º, I - MULTA"] }),
        ],
        sanctionListsRead: ["ceis", "cnep"],
      }),
      flags: [],
    },
    {
      title: "aponta o impedimento aplicado pelo Estado comprador ou por seu Município, e não o de outro ente",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1", { buyerSphere: "state", buyerState: "SP" }),
          exampleContract("c2", { buyerSphere: "state", buyerState: "RJ" }),
          exampleContract("c3", {
            agencyName: "MUNICIPIO DE CIDADE DE EXEMPLO",
            buyerSphere: "municipal",
            buyerState: "MG",
            supplierId: EXAMPLE_CNPJS[2],
            supplierTaxId: EXAMPLE_CNPJS[2],
          }),
          exampleContract("c4"),
        ],
        sanctions: [
          exampleSanction("s1", { bodySphere: "state", bodyState: "SP", sanctioningBody: "Secretaria de exemplo" }),
          exampleSanction("s2", {
            taxId: EXAMPLE_CNPJS[2],
            bodySphere: "municipal",
            bodyState: "MG",
            sanctioningBody: "Prefeitura Municipal de Cidade de Exemplo - MG",
          }),
        ],
        sanctionListsRead: ["ceis", "cnep"],
      }),
      flags: [exampleKey("c1"), exampleKey("c3")],
    },
    {
      title: "não aponta a sanção que começou depois da assinatura, qualquer que seja o seu alcance",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1"),
          exampleContract("c2", { buyerSphere: "state", buyerState: "SP" }),
          exampleContract("c3", { buyerSphere: "municipal", buyerState: "SP" }),
        ],
        sanctions: [
          exampleSanction("s1", {
            kind: "Declaração de Inidoneidade sem prazo determinado",
            legalBasis: ["LEI 14133 - ART. 156, IV"],
            startsOn: "2024-03-02",
            endsOn: null,
          }),
        ],
        sanctionListsRead: ["ceis", "cnep"],
      }),
      flags: [],
    },
    {
      title: "não calcula sem as listas",
      dataset: exampleDataset({ contracts: [exampleContract("c1")], sanctionListsRead: ["cnep"] }),
      flags: [],
      notComputable: [exampleKey("c1")],
    },
    {
      title: "não calcula com início ou alcance desconhecido, e exclui pessoa física",
      dataset: exampleDataset({
        contracts: [
          exampleContract("c1"),
          exampleContract("c2", { supplierId: EXAMPLE_CNPJS[2], supplierTaxId: EXAMPLE_CNPJS[2] }),
          exampleContract("c3", { supplierKind: "person", supplierTaxId: "***.456.789-**" }),
        ],
        sanctions: [
          exampleSanction("s1", { startsOn: null }),
          exampleSanction("s2", {
            taxId: EXAMPLE_CNPJS[2],
            kind: "Proibição - Lei de Improbidade",
            legalBasis: ["LEI 8429 - ART. 12"],
          }),
        ],
        sanctionListsRead: ["ceis", "cnep"],
      }),
      flags: [],
      notComputable: [exampleKey("c1"), exampleKey("c2")],
      excluded: [exampleKey("c3")],
    },
  ],
});

const PERSON = excluded("pessoa física: CPF mascarado não permite comparação");
const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");

function judge(contract: Contract, sanctions: readonly Sanction[], unread: Verdict | null): Verdict {
  const matches = sanctions.map((sanction) => weigh(sanction, contract));
  const barring = matches.filter((match) => match.answer === "bars");
  if (barring.length > 0)
    return flagOf(
      contract,
      barring.toSorted((a, b) => b.strength - a.strength),
    );
  if (unread !== null) return unread;
  const unclear = matches.find((match) => match.answer === "unclear");
  return unclear ? notComputable(unclear.why) : notFired(matches[0]!.why);
}

type Match = { sanction: Sanction; answer: "bars" | "unclear" | "harmless"; why: string; strength: number };

function weigh(sanction: Sanction, contract: Contract): Match {
  const { startsOn, endsOn, endKnown } = sanction;
  const { signedOn } = contract;
  const scope = scopeTowardsBuyer(sanction, contract);
  const isExact = sanction.taxId === contract.supplierTaxId;
  const strength = (isExact ? 1 : BRANCH_STRENGTH) * (scope.isNarrowerInWords ? NARROWER_IN_WORDS_STRENGTH : 1);
  const answer = (kind: Match["answer"], why: string): Match => ({ sanction, answer: kind, why, strength });
  if (scope.bars === "no") return answer("harmless", `há sanção, mas ${scope.why}`);
  if (endsOn !== null && signedOn !== null && endsOn < signedOn) {
    return answer("harmless", "há sanção, mas terminou antes da assinatura");
  }
  if (startsOn !== null && signedOn !== null && startsOn > signedOn) {
    return answer("harmless", "há sanção, mas começou depois da assinatura");
  }
  if (signedOn === null) return answer("unclear", "há sanção, mas o contrato não tem data de assinatura");
  if (startsOn === null) return answer("unclear", "há sanção de início desconhecido");
  if (endsOn === null && !endKnown) return answer("unclear", "há sanção de término desconhecido");
  if (scope.bars === "unknown") return answer("unclear", `há sanção vigente, mas: ${scope.why}`);
  return answer("bars", scope.why);
}

function flagOf(contract: Contract, matches: Match[]): Verdict {
  const { sanction, why, strength } = matches[0]!;
  const signedOn = contract.signedOn!;
  const valueCents = Math.max(0, contract.initialValueCents ?? contract.currentValueCents ?? 0);
  const isExact = sanction.taxId === contract.supplierTaxId;
  const period = `de ${formatDate(sanction.startsOn!)} ${endText(sanction.endsOn)}`;
  const describe = (): FlagDescription => ({
    subject: contractSubject(contract),
    reason:
      `O contrato de ${formatBrl(valueCents)} foi assinado em ${formatDate(signedOn)}, quando constava no ` +
      `${sanction.list.toUpperCase()} sanção (${sanction.kind}) ${period}` +
      `${isExact ? "" : " sobre outro estabelecimento da mesma pessoa jurídica"}; ${why}.`,
    ...partiesOf(contract),
    formula: "starts_on ≤ signed_on ≤ ends_on; sanctioned_id matches supplier_id; scope covers the buyer",
    facts: [
      fact("supplier_id", "CNPJ do fornecedor", formatCnpj(contract.supplierTaxId!), "text"),
      fact("sanctioned_id", "CNPJ na lista", formatCnpj(sanction.taxId!), "text"),
      fact("signed_on", "Assinatura do contrato", signedOn, "date"),
      fact("starts_on", "Início da sanção", sanction.startsOn!, "date"),
      fact("ends_on", "Fim da sanção", sanction.endsOn ?? "sem prazo determinado", sanction.endsOn ? "date" : "text"),
      fact("kind", "Sanção", sanction.kind, "text"),
      fact("sanctioning_body", "Órgão sancionador", sanction.sanctioningBody, "text"),
      fact("scope", "Alcance", why, "text"),
      fact("published_scope", "Alcance publicado", sanction.scope ?? "não informado", "text"),
      fact("value", "Valor do contrato", valueCents, "cents"),
      fact("sanctions", "Sanções vigentes que alcançam o comprador", matches.length, "count"),
    ],
    records: [
      contractRecord(contract),
      ...matches.slice(0, RECORDS_MAX).map((match) => sanctionRecord(match.sanction)),
    ],
    legalBasis: inForceOn(legalBasis, signedOn),
  });
  return fired({ strength, amountAtRiskCents: valueCents, pValue: null, describe });
}

function endText(endsOn: IsoDate | null): string {
  return endsOn === null ? "sem prazo determinado" : `a ${formatDate(endsOn)}`;
}
