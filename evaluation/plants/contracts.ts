import type { Contract } from "@cidadao/domain/contract";
import { addDays } from "@cidadao/domain/dates";
import { addGroups, changeContracts, hasValue, isPlainPurchase, keyOf, pick, type Plant } from "./plant.ts";

export const amendmentGrowth: Plant = {
  detector: "amendment-growth",
  unit: "contract",
  what: "valor atual 1,4 a 3 vezes o inicial, com termo aditivo de acréscimo",
  into: "month",
  plant: (dataset, count, random) => {
    const chosen = pick(
      dataset,
      random,
      count,
      (one) => one.currentValueCents === one.initialValueCents && hasValue(one),
    );
    const amendments = [...dataset.amendments];
    const planting = changeContracts(dataset, chosen, (one) => {
      amendments.push({
        provenance: { ...one.provenance, sourceId: `plantado-${one.provenance.sourceId}` },
        contractId: one.provenance.sourceId,
        number: "1",
        publishedOn: null,
        object: "Acréscimo de quantitativos do contrato",
      });
      return { currentValueCents: Math.round(one.initialValueCents! * random.between(1.4, 3)) };
    });
    return { ...planting, dataset: { ...planting.dataset, amendments } };
  },
};

export const contractTerm: Plant = {
  detector: "contract-term",
  unit: "contract",
  what: "vigência inicial de 8 a 15 anos em objeto comum",
  into: "month",
  plant: (dataset, count, random) =>
    changeContracts(
      dataset,
      pick(dataset, random, count, (one) => isPlainPurchase(one) && one.startsOn !== null),
      (one) => ({
        endsOn: addDays(one.startsOn!, Math.round(365.25 * random.between(8, 15))),
      }),
    ),
};

export const nearDuplicate: Plant = {
  detector: "near-duplicate",
  unit: "contract",
  what: "cópia de um contrato, com outro número, uma palavra trocada e até 20 dias de diferença",
  into: "month",
  plant: (dataset, count, random) => {
    const chosen = pick(
      dataset,
      random,
      count,
      (one) => hasValue(one) && (one.object ?? "").split(" ").length >= 20 && one.signedOn !== null,
    );
    const copies = chosen.map((one) => {
      const words = one.object!.split(" ");
      words[1 + random.below(words.length - 2)] = "RETIFICADO";
      const parts: Partial<Contract> = {
        object: words.join(" "),
        signedOn: addDays(one.signedOn!, random.below(20)),
      };
      return [{ template: one, parts }];
    });
    const { dataset: grown, planted } = addGroups(dataset, copies, "80");
    return {
      dataset: grown,
      planted: planted.map(({ keys }, index) => ({ keys: [keyOf(chosen[index]!), ...keys] })),
    };
  },
};

export const publicationLag: Plant = {
  detector: "publication-lag",
  unit: "contract",
  what: "publicação 270 a 350 dias depois da assinatura, em contratos de R$ 500 mil ou mais",
  into: "month",
  plant: (dataset, count, random) =>
    changeContracts(
      dataset,
      pick(
        dataset,
        random,
        count,
        (one) =>
          (one.initialValueCents ?? 0) >= 50_000_000 &&
          one.supplierKind === "company" &&
          one.publishedOn !== null &&
          one.procurementMethod !== "unknown",
      ),
      (one) => ({ signedOn: addDays(one.publishedOn!, -270 - random.below(80)) }),
    ),
};
