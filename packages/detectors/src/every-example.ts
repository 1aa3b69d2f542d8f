import type { Dataset } from "@cidadao/domain/dataset";
import { detectors } from "./registry.ts";

/** All examples in one dataset; ids are made unique by the example they come from. */
export function everyExample(): Dataset {
  const parts = detectors.flatMap(({ id, examples }) =>
    examples.map(({ dataset }, index) => {
      const mark = <T extends { provenance: { sourceId: string } }>(record: T): T => ({
        ...record,
        provenance: { ...record.provenance, sourceId: `${id}-${index}-${record.provenance.sourceId}` },
      });
      const markPart = <T extends { provenance: { sourceId: string }; contractId: string }>(record: T): T => ({
        ...mark(record),
        contractId: `${id}-${index}-${record.contractId}`,
      });
      return {
        contracts: dataset.contracts.map((contract) => ({ ...mark(contract), unitCode: `${id}-${index}` })),
        items: dataset.items.map(markPart),
        amendments: dataset.amendments.map(markPart),
        sanctions: dataset.sanctions.map(mark),
        registrations: dataset.registrations.map(mark),
      };
    }),
  );
  return {
    contracts: parts.flatMap(({ contracts }) => contracts),
    items: parts.flatMap(({ items }) => items),
    amendments: parts.flatMap(({ amendments }) => amendments),
    sanctions: parts.flatMap(({ sanctions }) => sanctions),
    sanctionListsRead: ["ceis", "cnep"],
    registrations: parts.flatMap(({ registrations }) => registrations),
  };
}
