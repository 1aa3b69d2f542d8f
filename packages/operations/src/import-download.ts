import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Store } from "@cidadao/database/store";
import { daysBetween, type IsoDate } from "@cidadao/domain/dates";
import { type DownloadContext, fetchZip } from "@cidadao/sources/downloads/fetch-zip";
import {
  downloadUrl,
  type DownloadsConfig,
  type PublishedDownload,
} from "@cidadao/sources/downloads/published-downloads";
import type { ReadProgress } from "@cidadao/sources/files/read-files";
import { sanctionListRecordsMin } from "@cidadao/sources/portal-transparencia/source";
import { importFiles, type ImportSummary } from "./import-files.ts";

export type DownloadInput = {
  download: PublishedDownload;
  /** 2024-01, or 2024 or 2024-01-31 where there is one a year or a day. */
  period: string;
  /** Today in Brasília. */
  today: IsoDate;
  onBytes?: (bytes: number) => void;
  onProgress?: (progress: ReadProgress) => void;
};

/** A list of a day that is over may still be what is in force: the new one is published in the course of the day. */
const LIST_AGE_DAYS_MAX = 1;

/**
 * Brings a published zip to a folder of its own, reads the files inside it as they unpack, and removes it. A whole
 * sanction list of today counts as the reading of that list, unless it is shorter than the list can be.
 */
export async function importDownload(
  context: DownloadContext & { store: Store; config: DownloadsConfig },
  { download, period, today, onBytes, onProgress }: DownloadInput,
  signal: AbortSignal,
): Promise<ImportSummary> {
  const url = downloadUrl(context.config, download, period);
  const { publisher } = download;
  const folder = await mkdtemp(path.join(tmpdir(), "cidadao-download-"));
  await using kept = new AsyncDisposableStack();
  kept.defer(() => rm(folder, { recursive: true, force: true }));
  const target = path.join(folder, `${period.replaceAll("-", "")}_${download.id}.zip`);
  const fetched = {
    url,
    hosts: publisher.hosts(context.config),
    source: `${publisher.source}-downloads`,
    route: `/${download.id}/:period`,
    target,
    ...(onBytes ? { onBytes } : {}),
  };
  const { sample } = await fetchZip(context, fetched, signal);
  const common = { sample, ...(onProgress ? { onProgress } : {}) };
  if (download.reads === "contracts") {
    const run = { source: publisher.source, dataset: `download:${download.id}`, scope: { url } };
    return await importFiles(context, { paths: [target], format: download.format, ...common, run }, signal);
  }
  const { list } = download;
  const isOfToday = Math.abs(daysBetween(period, today)) <= LIST_AGE_DAYS_MAX;
  const dataset = isOfToday ? list : `download:${list}`;
  const run = { source: publisher.source, dataset, scope: { url } };
  const sanctionsMin = sanctionListRecordsMin[list];
  return await importFiles(context, { paths: [], sanctions: [target], sanctionsMin, ...common, run }, signal);
}
