import { parseDate } from "@cidadao/domain/dates";
import { type SanctionList, sanctionLists } from "@cidadao/domain/sanction";
import { AppError } from "@cidadao/runtime/errors";
import { z } from "zod";
import { sourceUrl } from "../config.ts";
import type { FileFormatId } from "../files/formats.ts";
import { TCE_RS } from "../files/licitacon-contratos.ts";
import { SOURCE_ID } from "../portal-transparencia/client.ts";

type Publisher = {
  /** Of its runs. */
  source: string;
  address: (config: DownloadsConfig, id: string, period: string) => string;
  /** Hosts besides that of the address which its files may come from. */
  hosts: (config: DownloadsConfig) => readonly string[];
};

/** A table that is published whole, as a zip of CSV files for each year, month or day. */
export type PublishedDownload = {
  id: string;
  title: string;
  publisher: Publisher;
  period: "year" | "month" | "day";
} & ({ reads: "contracts"; format: FileFormatId } | { reads: "sanctions"; list: SanctionList });

const portal: Publisher = {
  source: SOURCE_ID,
  address: (config, id, period) => `${config.PORTAL_DOWNLOADS_URL}/${id}/${period.replaceAll("-", "")}`,
  hosts: (config) => config.PORTAL_DOWNLOADS_HOSTS,
};

const tceRs: Publisher = {
  source: TCE_RS,
  address: (config, _, period) => `${config.TCE_RS_DOWNLOADS_URL}/contrato/ano/${period}.csv.zip`,
  hosts: () => [],
};

export const publishedDownloads: readonly PublishedDownload[] = [
  {
    id: "compras",
    title: "contratos de um mês, com itens e aditivos",
    publisher: portal,
    period: "month",
    reads: "contracts",
    format: "portal-compras",
  },
  {
    id: "licitacoes",
    title: "licitações de um mês, com itens, licitantes e empenhos",
    publisher: portal,
    period: "month",
    reads: "contracts",
    format: "portal-licitacoes",
  },
  ...sanctionLists.map((list) => ({
    id: list,
    title: `a lista ${list.toUpperCase()} inteira, como era num dia`,
    publisher: portal,
    period: "day" as const,
    reads: "sanctions" as const,
    list,
  })),
  {
    id: "licitacon",
    title: "contratos de um ano no Rio Grande do Sul, com itens e alterações (TCE-RS)",
    publisher: tceRs,
    period: "year",
    reads: "contracts",
    format: "licitacon-contratos",
  },
];

export const downloadsConfig = z.object({
  PORTAL_DOWNLOADS_URL: sourceUrl
    .default("https://portaldatransparencia.gov.br/download-de-dados")
    .meta({ description: "Base address of the downloads of the Portal da Transparência" }),
  PORTAL_DOWNLOADS_HOSTS: z
    .string()
    .default("dadosabertos-download.cgu.gov.br")
    .transform((list) => list.split(",").map((host) => host.trim().toLowerCase()))
    .meta({ description: "Hosts that a download of the Portal may be redirected to, separated by commas" }),
  TCE_RS_DOWNLOADS_URL: sourceUrl
    .default("https://dados.tce.rs.gov.br/dados/licitacon")
    .meta({ description: "Base address of the downloads of LicitaCon, of the TCE-RS" }),
});
export type DownloadsConfig = z.output<typeof downloadsConfig>;

const PERIODS = {
  year: { day: (period: string) => `${period}-01-01`, form: "a year, as 2024" },
  month: { day: (period: string) => `${period}-01`, form: "a month, as 2024-01" },
  day: { day: (period: string) => period, form: "a day, as 2024-01-31" },
};

/** The address of one file; `period` is written 2024-01, or 2024 or 2024-01-31 where there is one a year or a day. */
export function downloadUrl(config: DownloadsConfig, download: PublishedDownload, period: string): string {
  const { day, form } = PERIODS[download.period];
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day(period)) || parseDate(day(period)) === null) {
    throw new AppError("invalid_request", `${download.id} is published for ${form}, not for "${period}"`);
  }
  return download.publisher.address(config, download.id, period);
}
