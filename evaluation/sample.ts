import path from "node:path";
import type { Dataset } from "@cidadao/domain/dataset";
import { readFiles } from "@cidadao/sources/files/read-files";

/** All records of the files, in memory: for files as small as those here. */
export async function readDataset(paths: string[], sanctions: string[] = []): Promise<Dataset> {
  const dataset: Dataset = {
    contracts: [],
    items: [],
    amendments: [],
    sanctions: [],
    sanctionListsRead: [],
    registrations: [],
  };
  const reading = readFiles({ paths, sanctions, retrievedAt: "2024-02-15T12:00:00Z" });
  for await (const batch of reading.batches) {
    dataset.contracts.push(...batch.contracts);
    dataset.items.push(...batch.items);
    dataset.amendments.push(...batch.amendments);
    dataset.sanctions.push(...batch.sanctions);
    dataset.registrations.push(...batch.registrations);
  }
  return dataset;
}

/** The federal contracts published in January 2024, with items and amendments: 3,810 contracts. */
export function readJanuary2024(committed: string): Promise<Dataset> {
  const folder = path.join(committed, "portal-compras-202401");
  return readDataset(
    ["202401_Compras.csv.gz", "202401_ItemCompra.csv.gz", "202401_TermoAditivo.csv.gz"].map((file) =>
      path.join(folder, file),
    ),
  );
}
