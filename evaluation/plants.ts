import type { Contract, ContractItem } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { addDays, daysBetween } from "@cidadao/domain/dates";
import { recordKey } from "@cidadao/domain/provenance";
import type { Registration } from "@cidadao/domain/registration";
import type { Sanction } from "@cidadao/domain/sanction";
import { directAwardThresholdOn } from "@cidadao/detectors/thresholds";
import type { Random } from "./random.ts";

/** Something odd that was put in: its contracts by record key. Finding any one of them finds it. */
export type Planted = { keys: string[] };
export type Planting = { dataset: Dataset; planted: Planted[] };

/** One kind of oddity: how it is put into real data, and the detector whose job it is to find it. */
export type Plant = {
  detector: string;
  /** In Portuguese, for the page. */
  what: string;
  into: "month" | "years";
  plant: (dataset: Dataset, count: number, random: Random) => Planting;
};

const VALUE_MIN_CENTS = 10_000_000;

export const plants: readonly Plant[] = [
  {
    detector: "price-outlier",
    what: "valor de um contrato de 600 a 2.500 vezes a mediana da sua classe de item, em classes homogêneas de doze contratos ou mais",
    into: "month",
    plant: (dataset, count, random) => {
      const classOf = largestItemClasses(dataset);
      const groups = Map.groupBy(
        dataset.contracts.filter(
          (one) => one.procurementMethodDetails !== null && (one.initialValueCents ?? 0) > 1_000 && classOf.has(one),
        ),
        (one) => `${one.procurementMethodDetails}|${classOf.get(one)}`,
      );
      const homogeneous = [...groups.values()].filter((group) => group.length >= 12 && spreadOf(group) < 1.1);
      const chosen = random
        .shuffled(homogeneous.flatMap((group) => random.shuffled(group).slice(0, Math.floor(group.length / 12))))
        .slice(0, count);
      return changeContracts(dataset, chosen, (one) => {
        const group = groups.get(`${one.procurementMethodDetails}|${classOf.get(one)}`)!;
        const value = Math.round(medianValue(group) * random.between(600, 2_500));
        return { initialValueCents: value, currentValueCents: value };
      });
    },
  },
  {
    detector: "unit-price-outlier",
    what: "preço unitário de um item 100 a 400 vezes a mediana, em classes homogêneas de doze preços ou mais na mesma ordem de quantidade",
    into: "month",
    plant: (dataset, count, random) => {
      const usable = dataset.items.filter((item) => (item.unitPriceCents ?? 0) >= 10 && (item.quantity ?? 0) > 1);
      const decade = (item: ContractItem) => Math.floor(Math.log10(item.quantity!));
      const classes = [...Map.groupBy(usable, (item) => `${item.description}|${decade(item)}`).values()].filter(
        (group) =>
          group.length >= 12 &&
          new Set(group.map(({ contractId }) => contractId)).size >= 7 &&
          priceSpread(group) < 0.7,
      );
      const chosen = random.shuffled(classes.flatMap((group) => random.shuffled(group).slice(0, 1))).slice(0, count);
      const median = new Map(classes.flatMap((group) => group.map((item) => [item, medianPrice(group)] as const)));
      const items = dataset.items.map((item) =>
        chosen.includes(item)
          ? { ...item, unitPriceCents: Math.round(median.get(item)! * random.between(100, 400)) }
          : item,
      );
      const byId = new Map(dataset.contracts.map((one) => [one.provenance.sourceId, one]));
      return {
        dataset: { ...dataset, items },
        planted: chosen.map((item) => ({ keys: [keyOf(byId.get(item.contractId)!)] })),
      };
    },
  },
  {
    detector: "amendment-growth",
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
  },
  {
    detector: "contract-splitting",
    what: "3 a 5 dispensas de 45 a 99 % do limite ao mesmo fornecedor no mesmo ano",
    into: "month",
    plant: (dataset, count, random) =>
      addContracts(
        dataset,
        count,
        random,
        (template, serial) => {
          const limit = directAwardThresholdOn("2024-06-01", "lei-14133")!.otherCents;
          return Array.from({ length: 3 + random.below(3) }, (_, index) => ({
            ...waived(template),
            object: template.object,
            number: `9${serial}${index}`,
            supplierId: cnpjNumbered(serial),
            supplierTaxId: cnpjNumbered(serial),
            signedOn: addDays("2024-01-05", random.below(300)),
            initialValueCents: Math.round(limit * random.between(0.45, 0.99)),
          }));
        },
        isPlainPurchase,
      ),
  },
  {
    detector: "near-duplicate",
    what: "cópia de um contrato, com outro número, uma ou duas palavras e até 20 dias de diferença",
    into: "month",
    plant: (dataset, count, random) => {
      const chosen = pick(
        dataset,
        random,
        count,
        (one) => hasValue(one) && (one.object ?? "").split(" ").length >= 20 && one.signedOn !== null,
      );
      const copies = chosen.map((one, index): Contract => {
        const words = one.object!.split(" ");
        words[1 + random.below(words.length - 2)] = "RETIFICADO";
        return {
          ...one,
          provenance: { ...one.provenance, sourceId: `copia-${index}` },
          number: `8${index}${one.number.slice(2)}`,
          object: words.join(" "),
          signedOn: addDays(one.signedOn!, random.below(20)),
        };
      });
      return {
        dataset: { ...dataset, contracts: [...dataset.contracts, ...copies] },
        planted: chosen.map((one, index) => ({ keys: [keyOf(one), keyOf(copies[index]!)] })),
      };
    },
  },
  {
    detector: "supplier-concentration",
    what: "fornecedor novo com 3 dispensas que somam 55 a 80 % do valor de um órgão no ano",
    into: "month",
    plant: (dataset, count, random) => {
      const markets = [
        ...Map.groupBy(
          dataset.contracts.filter((one) => one.supplierKind === "company" && hasValue(one)),
          (one) => `${one.agencyCode}/${one.signedOn?.slice(0, 4)}`,
        ).values(),
      ].filter((group) => group.length >= 10 && new Set(group.map((one) => one.supplierTaxId)).size >= 5);
      const chosen = random.shuffled(markets).slice(0, count);
      const added = chosen.map((group, serial) => {
        const total = group.reduce((sum, one) => sum + one.initialValueCents!, 0);
        const share = random.between(0.55, 0.8);
        return Array.from({ length: 3 }, (_, index): Contract => ({
          ...waived(group[0]!),
          provenance: { ...group[0]!.provenance, sourceId: `concentra-${serial}-${index}` },
          number: `7${serial}${index}`,
          supplierId: cnpjNumbered(serial),
          supplierTaxId: cnpjNumbered(serial),
          supplierName: "FORNECEDORA PLANTADA LTDA",
          object: "AQUISIÇÃO DE EQUIPAMENTOS",
          initialValueCents: Math.round((total * share) / (1 - share) / 3) + index,
        }));
      });
      return {
        dataset: { ...dataset, contracts: [...dataset.contracts, ...added.flat()] },
        planted: added.map((group) => ({ keys: group.map(keyOf) })),
      };
    },
  },
  {
    detector: "repeated-no-competition",
    what: "4 a 6 inexigibilidades no ano ao mesmo fornecedor, de classe que outros vendem",
    into: "month",
    plant: (dataset, count, random) => {
      const classOf = largestItemClasses(dataset);
      const sellers = Map.groupBy(
        dataset.contracts.filter((one) => classOf.has(one)),
        (one) => classOf.get(one)!,
      );
      const contested = new Set(
        [...sellers].filter(([, group]) => new Set(group.map((one) => one.supplierId)).size >= 4).map(([name]) => name),
      );
      const planting = addContracts(
        dataset,
        count,
        random,
        (template, serial) =>
          Array.from({ length: 4 + random.below(3) }, (_, index) => ({
            ...template,
            procurementMethod: "direct" as const,
            procurementMethodDetails: "Inexigibilidade de Licitação",
            directAwardKind: "no_competition" as const,
            number: `6${serial}${index}`,
            supplierId: cnpjNumbered(serial),
            supplierTaxId: cnpjNumbered(serial),
            supplierName: "FORNECEDORA PLANTADA LTDA",
            signedOn: addDays("2024-01-05", random.below(300)),
            initialValueCents: Math.round(random.between(5_000_000, 60_000_000)),
          })),
        (one) => isPlainPurchase(one) && contested.has(classOf.get(one) ?? ""),
      );
      const items = planting.added.map(({ contract, template }): ContractItem => ({
        provenance: { ...contract.provenance, sourceId: `item-${contract.provenance.sourceId}` },
        contractId: contract.provenance.sourceId,
        number: "1",
        description: classOf.get(template)!,
        complement: null,
        quantity: 1,
        unitPriceCents: contract.initialValueCents,
      }));
      return { ...planting, dataset: { ...planting.dataset, items: [...planting.dataset.items, ...items] } };
    },
  },
  {
    detector: "emergency-recontracting",
    what: "2 ou 3 dispensas emergenciais de mesmo objeto ao mesmo fornecedor, em dois anos",
    into: "month",
    plant: (dataset, count, random) =>
      addContracts(
        dataset,
        count,
        random,
        (template, serial) =>
          Array.from({ length: 2 + random.below(2) }, (_, index) => ({
            ...waived(template),
            legalBasis: "Lei 14.133/2021, art. 75, VIII",
            object: `CONTRATAÇÃO EMERGENCIAL: ${template.object}`,
            number: `5${serial}${index}`,
            supplierId: cnpjNumbered(serial),
            supplierTaxId: cnpjNumbered(serial),
            signedOn: addDays("2024-01-05", index * 200 + random.below(60)),
            initialValueCents: Math.round(random.between(10_000_000, 200_000_000)),
          })),
        isPlainPurchase,
      ),
  },
  {
    detector: "sanctioned-supplier",
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
  },
  {
    detector: "new-supplier",
    what: "fornecedor aberto 1 a 120 dias antes da assinatura, num cadastro em que os outros têm de 2 a 40 anos",
    into: "month",
    plant: (dataset, count, random) => {
      const single = soleContracts(dataset);
      const chosen = pick(
        dataset,
        random,
        count,
        (one) =>
          single.has(one) && one.signedOn !== null && hasValue(one) && !/cons[oó]rcio|\bspe\b/i.test(one.supplierName),
      );
      const young = new Map(chosen.map((one) => [one.supplierTaxId!, addDays(one.signedOn!, -1 - random.below(120))]));
      return {
        dataset: { ...dataset, registrations: registryOf(dataset, random, (cnpj) => young.get(cnpj) ?? null) },
        planted: chosen.map((one) => ({ keys: [keyOf(one)] })),
      };
    },
  },
  {
    detector: "shared-registration",
    what: "dois fornecedores da mesma unidade com um sócio em comum",
    into: "month",
    plant: (dataset, count, random) => {
      const registrations = registryOf(dataset, random, () => null);
      const units = random.shuffled([
        ...Map.groupBy(
          dataset.contracts.filter((one) => one.supplierKind === "company"),
          (one) => one.unitCode,
        ).values(),
      ]);
      const planted: Planted[] = [];
      for (const group of units) {
        if (planted.length === count) break;
        const cnpjs = [...new Set(group.filter(hasValue).map((one) => one.supplierTaxId!))];
        const pair = cnpjs
          .filter((cnpj, index) => cnpjs.findIndex((other) => other.slice(0, 8) === cnpj.slice(0, 8)) === index)
          .slice(0, 2);
        if (pair.length < 2) continue;
        for (const registration of registrations) {
          if (pair.includes(registration.cnpj))
            registration.partners.push({
              taxId: `***.${String(100 + planted.length)}.777-**`,
              name: `SOCIA PLANTADA ${planted.length}`,
            });
        }
        planted.push({ keys: group.filter((one) => pair.includes(one.supplierTaxId ?? "")).map(keyOf) });
      }
      return { dataset: { ...dataset, registrations }, planted };
    },
  },
  {
    detector: "contract-term",
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
  },
  {
    detector: "publication-lag",
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
  },
  {
    detector: "threshold-bunching",
    what: "órgão com 40 a 80 dispensas nos 8 % abaixo do limite, e quase nenhuma acima",
    into: "month",
    plant: (dataset, count, random) =>
      addContracts(
        dataset,
        Math.min(count, 10),
        random,
        (template, serial) => {
          const limit = directAwardThresholdOn("2024-06-01", "lei-14133")!.otherCents;
          return Array.from({ length: 40 + random.below(40) }, (_, index) => ({
            ...waived(template),
            number: `4${serial}-${index}`,
            supplierId: cnpjNumbered(serial * 100 + index),
            supplierTaxId: cnpjNumbered(serial * 100 + index),
            signedOn: addDays("2024-01-05", random.below(300)),
            initialValueCents: Math.round(limit * random.between(0.92, 0.999)),
          }));
        },
        isPlainPurchase,
        (one) => one.agencyCode,
      ),
  },
  {
    detector: "round-number",
    what: "fornecedor com 10 a 16 contratos no órgão, nove em dez de valor redondo",
    into: "month",
    plant: (dataset, count, random) =>
      addContracts(
        dataset,
        count,
        random,
        (template, serial) =>
          Array.from({ length: 10 + random.below(7) }, (_, index) => ({
            ...template,
            number: `3${serial}-${index}`,
            supplierId: cnpjNumbered(serial),
            supplierTaxId: cnpjNumbered(serial),
            supplierName: "FORNECEDORA PLANTADA LTDA",
            initialValueCents:
              random.next() < 0.9 ? (1 + random.below(90)) * 10_000_000 : Math.round(random.between(1e7, 9e8)),
          })),
        isPlainPurchase,
      ),
  },
  {
    detector: "unrelated-classes",
    what: "fornecedor que vende de 12 a 16 classes tiradas ao acaso do catálogo",
    into: "month",
    plant: (dataset, count, random) => {
      // A fence over some sixty suppliers: a fifth of them planted would move it.
      const few = Math.min(count, 6);
      const names = [
        ...new Set(
          dataset.items.flatMap(({ description }) => (description && description.length > 8 ? [description] : [])),
        ),
      ];
      const planting = addContracts(
        dataset,
        few,
        random,
        (template, serial) =>
          Array.from({ length: 12 + random.below(5) }, (_, index) => ({
            ...template,
            number: `2${serial}-${index}`,
            supplierId: cnpjNumbered(serial),
            supplierTaxId: cnpjNumbered(serial),
            supplierName: "FORNECEDORA PLANTADA LTDA",
            initialValueCents: Math.round(random.between(1e7, 1e8)),
          })),
        isPlainPurchase,
      );
      const items = planting.added.map(({ contract }): ContractItem => ({
        provenance: { ...contract.provenance, sourceId: `item-${contract.provenance.sourceId}` },
        contractId: contract.provenance.sourceId,
        number: "1",
        description: names[random.below(names.length)]!,
        complement: null,
        quantity: 1,
        unitPriceCents: contract.initialValueCents,
      }));
      return { ...planting, dataset: { ...planting.dataset, items: [...planting.dataset.items, ...items] } };
    },
  },
  {
    detector: "supplier-network",
    what: "4 ou 5 fornecedores que vendem juntos às mesmas 6 a 9 unidades",
    into: "month",
    plant: (dataset, count, random) => {
      const units = random.shuffled(
        [...Map.groupBy(dataset.contracts.filter(hasValue), (one) => one.unitCode).values()].map((group) => group[0]!),
      );
      const planted: Planted[] = [];
      const added: Contract[] = [];
      for (let serial = 0; serial < Math.min(count, 12); serial++) {
        const chosen = units.slice(serial * 9, serial * 9 + 6 + random.below(4));
        const members = Array.from({ length: 4 + random.below(2) }, (_, index) => cnpjNumbered(serial * 10 + index));
        const own = chosen.flatMap((template, place) =>
          members.map((cnpj, index): Contract => ({
            ...template,
            provenance: { ...template.provenance, sourceId: `rede-${serial}-${place}-${index}` },
            number: `1${serial}${place}${index}`,
            supplierId: cnpj,
            supplierTaxId: cnpj,
            supplierKind: "company",
            supplierName: `FORNECEDORA PLANTADA ${cnpj}`,
            initialValueCents: Math.round(random.between(5e6, 5e7)),
          })),
        );
        added.push(...own);
        planted.push({ keys: own.map(keyOf) });
      }
      return { dataset: { ...dataset, contracts: [...dataset.contracts, ...added] }, planted };
    },
  },
  {
    detector: "first-digit",
    what: "órgão de 800 contratos em que 45 % dos valores foram trocados por valores que começam por 4 ou 5",
    into: "years",
    plant: (dataset, _count, random) =>
      changeAgencies(dataset, random, 4, (one) =>
        random.next() < 0.45
          ? { initialValueCents: Math.round(random.between(4, 5.99) * 10 ** (5 + random.below(5))) }
          : {},
      ),
  },
  {
    detector: "december-rush",
    what: "órgão em que 30 % dos contratos do último ano passaram para depois de 20 de dezembro",
    into: "years",
    plant: (dataset, _count, random) =>
      changeAgencies(dataset, random, 4, (one) =>
        one.signedOn?.startsWith(LAST_YEAR) && random.next() < 0.3
          ? { signedOn: `${LAST_YEAR}-12-${String(20 + random.below(11))}` }
          : {},
      ),
  },
  {
    detector: "spending-cycle",
    what: "órgão cujos valores sobem até 60 vezes e voltam, num ciclo de cinco ou sete meses",
    into: "years",
    plant: (dataset, _count, random) =>
      changeAgencies(dataset, random, 4, (one, serial) => {
        const [year, month] = [Number(one.signedOn!.slice(0, 4)), Number(one.signedOn!.slice(5, 7))];
        const phase = (2 * Math.PI * (year * 12 + month)) / (serial % 2 === 0 ? 5 : 7);
        const factor = 60 ** ((1 + Math.cos(phase)) / 2);
        return one.initialValueCents === null ? {} : { initialValueCents: Math.round(one.initialValueCents * factor) };
      }),
  },
];

/** The last of the years that `spreadOverYears` fills. */
const LAST_YEAR = "2023";

/**
 * Real contracts of the month drawn again and again, spread over six years and twelve agencies of 800 contracts, with
 * the December share and the values as they come: the ground for what only years of one agency can show.
 */
export function spreadOverYears(dataset: Dataset, random: Random): Dataset {
  const real = dataset.contracts.filter(
    (one) => hasValue(one) && one.signedOn !== null && one.supplierKind === "company",
  );
  const contracts = Array.from({ length: 12 * 800 }, (_, index): Contract => {
    const template = real[random.below(real.length)]!;
    const agencyCode = `8${String(index % 12).padStart(4, "0")}`;
    return {
      ...template,
      provenance: { ...template.provenance, sourceId: `anos-${index}` },
      number: String(index),
      agencyCode,
      agencyName: `Órgão reamostrado ${index % 12}`,
      unitCode: `${agencyCode}-${random.below(12)}`,
      signedOn: addDays("2018-01-01", random.below(daysBetween("2018-01-01", "2023-12-31"))),
      initialValueCents: Math.round(template.initialValueCents! * random.between(0.8, 1.25)),
    };
  });
  return { ...dataset, contracts, items: [], amendments: [] };
}

export function keyOf(contract: Contract): string {
  return recordKey(contract.provenance);
}

function pick(dataset: Dataset, random: Random, count: number, isFit: (contract: Contract) => boolean): Contract[] {
  return random.shuffled(dataset.contracts.filter(isFit)).slice(0, count);
}

function changeContracts(
  dataset: Dataset,
  chosen: readonly Contract[],
  change: (contract: Contract) => Partial<Contract>,
): Planting {
  const set = new Set(chosen);
  const contracts = dataset.contracts.map((one) => (set.has(one) ? { ...one, ...change(one) } : one));
  return { dataset: { ...dataset, contracts }, planted: chosen.map((one) => ({ keys: [keyOf(one)] })) };
}

function changeAgencies(
  dataset: Dataset,
  random: Random,
  count: number,
  change: (contract: Contract, serial: number) => Partial<Contract>,
): Planting {
  const agencies = random.shuffled([...new Set(dataset.contracts.map(({ agencyCode }) => agencyCode))]).slice(0, count);
  const contracts = dataset.contracts.map((one) => {
    const serial = agencies.indexOf(one.agencyCode);
    return serial < 0 ? one : { ...one, ...change(one, serial) };
  });
  return {
    dataset: { ...dataset, contracts },
    planted: agencies.map((agency) => ({ keys: contracts.filter((one) => one.agencyCode === agency).map(keyOf) })),
  };
}

/** Adds groups of contracts, each group shaped after a real one; no two groups after contracts with the same `apart`. */
function addContracts(
  dataset: Dataset,
  count: number,
  random: Random,
  make: (template: Contract, serial: number) => Omit<Contract, "provenance">[],
  isFit: (contract: Contract) => boolean,
  apart: (contract: Contract) => string = (one) => one.unitCode,
): Planting & { added: { contract: Contract; template: Contract }[] } {
  const templates = [...Map.groupBy(random.shuffled(dataset.contracts.filter(isFit)), apart).values()]
    .map((group) => group[0]!)
    .slice(0, count);
  const groups = templates.map((template, serial) =>
    make(template, serial).map((parts, index): { contract: Contract; template: Contract } => ({
      template,
      contract: {
        ...template,
        ...parts,
        provenance: { ...template.provenance, sourceId: `plantado-${serial}-${index}` },
      },
    })),
  );
  const added = groups.flat();
  return {
    dataset: { ...dataset, contracts: [...dataset.contracts, ...added.map(({ contract }) => contract)] },
    planted: groups.map((group) => ({ keys: group.map(({ contract }) => keyOf(contract)) })),
    added,
  };
}

function waived(template: Contract): Contract {
  return {
    ...template,
    procurementMethod: "direct",
    procurementMethodDetails: "Dispensa de Licitação",
    directAwardKind: "waived",
    legalBasis: null,
    supplierKind: "company",
    supplierName: "FORNECEDORA PLANTADA LTDA",
  };
}

function hasValue({ initialValueCents }: Contract): boolean {
  return (initialValueCents ?? 0) >= VALUE_MIN_CENTS;
}

const OWN_RULES =
  /energia|el[eé]trica|[aá]gua|esgoto|saneamento|correios|loca[cç]|aluguel|concess|cess[aã]o|conv[eê]nio|comodato|apoio|funda[cç]|obra|engenharia|reforma|constru|edifica|g[aá]s|processamento de dados|datacenter|estruturante|permiss|parceria|sigilo|emerg|calamidade|agricultura|pnae|imprensa|di[aá]rio oficial|manuten/i;

/** A contract of no law of its own: an ordinary purchase from a company. */
function isPlainPurchase(one: Contract): boolean {
  return (
    one.supplierKind === "company" &&
    hasValue(one) &&
    one.procurementMethodDetails !== null &&
    !OWN_RULES.test(`${one.object ?? "sigilo"} ${one.supplierName}`) &&
    (one.object ?? "").length > 40
  );
}

function registryOf(dataset: Dataset, random: Random, openedOn: (cnpj: string) => string | null): Registration[] {
  const companies = new Map(
    dataset.contracts
      .filter((one) => one.supplierKind === "company")
      .toSorted((a, b) => ((a.signedOn ?? "9999") < (b.signedOn ?? "9999") ? 1 : -1))
      .map((one) => [one.supplierTaxId!, one]),
  );
  return [...companies].map(([cnpj, one], index) => ({
    provenance: { ...one.provenance, sourceId: `cadastro-${cnpj}` },
    cnpj,
    name: one.supplierName,
    openedOn: openedOn(cnpj) ?? addDays(one.signedOn ?? "2020-01-01", -730 - random.below(38 * 365)),
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
}

/** Contracts of companies that have no other contract here. */
function soleContracts(dataset: Dataset): Set<Contract> {
  const bySupplier = Map.groupBy(dataset.contracts, ({ supplierId }) => supplierId);
  return new Set(
    dataset.contracts.filter((one) => one.supplierKind === "company" && bySupplier.get(one.supplierId)!.length === 1),
  );
}

/** Numbers that no real supplier has; the check digits do not matter here. */
function cnpjNumbered(serial: number): string {
  return `9${String(serial).padStart(7, "0")}000199`;
}

function largestItemClasses(dataset: Dataset): Map<Contract, string> {
  const byContract = Map.groupBy(dataset.items, ({ contractId }) => contractId);
  const classes = new Map<Contract, string>();
  for (const contract of dataset.contracts) {
    const own = byContract.get(contract.provenance.sourceId) ?? [];
    const largest = own.toSorted(
      (a, b) => (b.quantity ?? 0) * (b.unitPriceCents ?? 0) - (a.quantity ?? 0) * (a.unitPriceCents ?? 0),
    )[0];
    if (largest?.description && !/sigilo|não se aplica/i.test(largest.description))
      classes.set(contract, largest.description);
  }
  return classes;
}

function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function medianValue(group: Contract[]): number {
  return medianOf(group.map((one) => one.initialValueCents!));
}

function medianPrice(group: ContractItem[]): number {
  return medianOf(group.map((item) => item.unitPriceCents!));
}

/** The larger of 1.4826 × MAD and the upper fifth over 0.8416, of the logarithm. */
function spreadOf(group: Contract[]): number {
  return spreadOfLogarithms(group.map((one) => Math.log(one.initialValueCents!)));
}

function priceSpread(group: ContractItem[]): number {
  return spreadOfLogarithms(group.map((item) => Math.log(item.unitPriceCents!)));
}

function spreadOfLogarithms(values: number[]): number {
  const middle = medianOf(values);
  const upper = values.toSorted((a, b) => a - b)[Math.floor(0.8 * values.length)]! - middle;
  return Math.max(1.4826 * medianOf(values.map((value) => Math.abs(value - middle))), upper / 0.8416);
}
