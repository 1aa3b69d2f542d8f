import type { Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { addDays, daysBetween } from "@cidadao/domain/dates";
import type { Random } from "@cidadao/detectors/seeded-random";
import { hasValue } from "./plant.ts";

const FIRST_DAY = "2018-01-01";
export const LAST_YEAR = "2023";
const DAYS = daysBetween(FIRST_DAY, `${LAST_YEAR}-12-31`) + 1;
const AGENCIES = 12;
const CONTRACTS_EACH = 800;

/**
 * Real contracts of the month drawn again and again, spread evenly over six years and twelve agencies: the ground for
 * what only years of one agency can show. Objects are left out, for drawing again makes duplicates of them.
 */
export function spreadOverYears(dataset: Dataset, random: Random): Dataset {
  const real = dataset.contracts.filter((one) => hasValue(one) && one.supplierKind === "company");
  const contracts = Array.from({ length: AGENCIES * CONTRACTS_EACH }, (_, index): Contract => {
    const template = real[random.below(real.length)]!;
    const value = Math.round(template.initialValueCents! * random.between(0.8, 1.25));
    const agencyCode = `8${String(index % AGENCIES).padStart(4, "0")}`;
    return {
      ...template,
      provenance: { ...template.provenance, sourceId: `anos-${index}` },
      number: String(index),
      object: null,
      agencyCode,
      agencyName: `Órgão reamostrado ${index % AGENCIES}`,
      unitCode: `${agencyCode}-${random.below(12)}`,
      signedOn: dayOfYears(random),
      initialValueCents: value,
      currentValueCents: value,
    };
  });
  return { ...dataset, contracts, items: [], amendments: [] };
}

function dayOfYears(random: Random): string {
  return addDays(FIRST_DAY, random.below(DAYS));
}
