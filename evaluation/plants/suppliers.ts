import type { Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { addDays } from "@cidadao/domain/dates";
import type { Registration } from "@cidadao/domain/registration";
import type { Sanction } from "@cidadao/domain/sanction";
import type { Random } from "@cidadao/detectors/seeded-random";
import {
  addContracts,
  addGroups,
  addItems,
  hasValue,
  isPlainPurchase,
  keyOf,
  newSeller,
  pick,
  type Plant,
  type Planted,
} from "./plant.ts";

export const newSupplier: Plant = {
  detector: "new-supplier",
  unit: "contract",
  what: "fornecedor aberto 1 a 120 dias antes da assinatura, num cadastro em que os outros têm de 2 a 40 anos",
  into: "month",
  plant: (dataset, count, random) => {
    const single = soleContracts(dataset);
    const isFit = (one: Contract) =>
      single.has(one) && one.signedOn !== null && hasValue(one) && !/cons[oó]rcio|\bspe\b/i.test(one.supplierName);
    const chosen = pick(dataset, random, count, isFit);
    const young = new Map(chosen.map((one) => [one.supplierTaxId!, addDays(one.signedOn!, -1 - random.below(120))]));
    const registrations = registryOf(dataset, random).map((one) => ({
      ...one,
      openedOn: young.get(one.cnpj) ?? one.openedOn,
    }));
    return { dataset: { ...dataset, registrations }, planted: chosen.map((one) => ({ keys: [keyOf(one)] })) };
  },
};

export const sanctionedSupplier: Plant = {
  detector: "sanctioned-supplier",
  unit: "contract",
  what: "inidoneidade ou impedimento federal vigente na assinatura, no CNPJ exato do fornecedor",
  into: "month",
  plant: (dataset, count, random) => {
    const single = soleContracts(dataset);
    const chosen = pick(dataset, random, count, (one) => single.has(one) && one.signedOn !== null && hasValue(one));
    const sanctions = chosen.map((one, index): Sanction => ({
      provenance: { ...one.provenance, sourceId: `sancao-${index}` },
      list: "ceis",
      supplierKind: "company",
      taxId: one.supplierTaxId,
      name: one.supplierName,
      kind: "Impedimento/proibição de contratar com prazo determinado",
      legalBasis: ["LEI 14133 - ART. 156, III"],
      startsOn: addDays(one.signedOn!, -30 - random.below(600)),
      endsOn: addDays(one.signedOn!, 1 + random.below(600)),
      endKnown: true,
      sanctioningBody: "Ministério plantado",
      bodySphere: "federal",
      bodyState: "DF",
      scope: null,
    }));
    return {
      dataset: { ...dataset, sanctions: [...dataset.sanctions, ...sanctions], sanctionListsRead: ["ceis", "cnep"] },
      planted: chosen.map((one) => ({ keys: [keyOf(one)] })),
    };
  },
};

export const sharedRegistration: Plant = {
  detector: "shared-registration",
  unit: "contract",
  what: "dois fornecedores da mesma unidade com um sócio em comum",
  into: "month",
  plant: (dataset, count, random) => {
    const units = random.shuffled([
      ...Map.groupBy(
        dataset.contracts.filter((one) => one.supplierKind === "company"),
        (one) => one.unitCode,
      ).values(),
    ]);
    const partnerOf = new Map<string, Registration["partners"][number]>();
    const planted: Planted[] = [];
    for (const group of units) {
      if (planted.length === count) break;
      const cnpjs = [...new Set(group.filter(hasValue).map((one) => one.supplierTaxId!))];
      const pair = cnpjs
        .filter((cnpj, index) => cnpjs.findIndex((other) => other.slice(0, 8) === cnpj.slice(0, 8)) === index)
        .slice(0, 2);
      if (pair.length < 2 || pair.some((cnpj) => partnerOf.has(cnpj))) continue;
      const partner = {
        taxId: `***.${String(100 + planted.length)}.777-**`,
        name: `SOCIA PLANTADA ${planted.length}`,
      };
      for (const cnpj of pair) partnerOf.set(cnpj, partner);
      planted.push({ keys: group.filter((one) => pair.includes(one.supplierTaxId ?? "")).map(keyOf) });
    }
    const registrations = registryOf(dataset, random).map((one) => {
      const partner = partnerOf.get(one.cnpj);
      return partner === undefined ? one : { ...one, partners: [...one.partners, partner] };
    });
    return { dataset: { ...dataset, registrations }, planted };
  },
};

export const supplierNetwork: Plant = {
  detector: "supplier-network",
  unit: "contract",
  what: "4 ou 5 fornecedores que vendem juntos às mesmas 6 a 9 unidades",
  into: "month",
  plant: (dataset, count, random) => {
    const units = random.shuffled(
      [...Map.groupBy(dataset.contracts.filter(hasValue), (one) => one.unitCode).values()].map((group) => group[0]!),
    );
    const groups = Array.from({ length: Math.min(count, 12) }, (_, serial) => {
      const chosen = units.slice(serial * 9, serial * 9 + 6 + random.below(4));
      const members = Array.from({ length: 4 + random.below(2) }, (_, index) => newSeller("10", serial * 10 + index));
      return chosen.flatMap((template) =>
        members.map((seller) => ({
          template,
          parts: {
            ...seller,
            supplierName: `FORNECEDORA PLANTADA ${seller.supplierId}`,
            initialValueCents: Math.round(random.between(5e6, 5e7)),
          },
        })),
      );
    });
    return addGroups(dataset, groups, "10");
  },
};

export const unrelatedClasses: Plant = {
  detector: "unrelated-classes",
  unit: "contract",
  what: "fornecedor que vende de 12 a 16 classes tiradas ao acaso do catálogo",
  into: "month",
  plant: (dataset, count, random) => {
    const names = [
      ...new Set(
        dataset.items.flatMap(({ description }) => (description && description.length > 8 ? [description] : [])),
      ),
    ];
    const planting = addContracts(dataset, random, {
      // A fence over some sixty suppliers: a fifth of them planted would move it.
      count: Math.min(count, 6),
      mark: "20",
      isFit: isPlainPurchase,
      make: (_, serial) =>
        Array.from({ length: 12 + random.below(5) }, () => ({
          ...newSeller("20", serial),
          initialValueCents: Math.round(random.between(1e7, 1e8)),
        })),
    });
    return addItems(planting, () => names[random.below(names.length)]!);
  },
};

/** What the registry says already, and an entry like any other for every company that is not in it. */
function registryOf(dataset: Dataset, random: Random): Registration[] {
  const known = new Set(dataset.registrations.map(({ cnpj }) => cnpj));
  const companies = new Map(
    dataset.contracts
      .filter((one) => one.supplierKind === "company")
      .toSorted((a, b) => ((a.signedOn ?? "9999") < (b.signedOn ?? "9999") ? 1 : -1))
      .map((one) => [one.supplierTaxId!, one]),
  );
  const added = [...companies]
    .filter(([cnpj]) => !known.has(cnpj))
    .map(([cnpj, one], index): Registration => ({
      provenance: { ...one.provenance, sourceId: `cadastro-${cnpj}` },
      cnpj,
      name: one.supplierName,
      openedOn: addDays(one.signedOn ?? "2020-01-01", -730 - random.below(38 * 365)),
      status: "ATIVA",
      statusSince: null,
      mainActivity: null,
      capitalCents: Math.round(10 ** random.between(6, 10)),
      address: `RUA ${index}, ${index}`,
      phone: null,
      email: null,
      partners: [
        {
          taxId: `***.${String(index % 1000).padStart(3, "0")}.${String(Math.floor(index / 1000)).padStart(3, "0")}-**`,
          name: `SOCIO ${index}`,
        },
      ],
    }));
  return [...dataset.registrations, ...added];
}

/** Contracts of companies that have no other contract here. */
function soleContracts(dataset: Dataset): Set<Contract> {
  const bySupplier = Map.groupBy(dataset.contracts, ({ supplierId }) => supplierId);
  return new Set(
    dataset.contracts.filter((one) => one.supplierKind === "company" && bySupplier.get(one.supplierId)!.length === 1),
  );
}
