import { parseDate } from "@cidadao/domain/dates";
import { type SanctionList, sanctionLists } from "@cidadao/domain/sanction";
import { AppError } from "@cidadao/runtime/errors";
import { z } from "zod";
import { sourceUrl } from "../config.ts";
import type { FileFormatId } from "../files/formats.ts";

/** A table that the Portal da Transparência publishes whole, as a zip of CSV files for each month or day. */
export type PortalDownload = {
  id: string;
  title: string;
  period: "month" | "day";
} & ({ reads: "contracts"; format: FileFormatId } | { reads: "sanctions"; list: SanctionList });

export const portalDownloads: readonly PortalDownload[] = [
  {
    id: "compras",
    title: "contratos de um mês, com itens e aditivos",
    period: "month",
    reads: "contracts",
    format: "portal-compras",
  },
  {
    id: "licitacoes",
    title: "licitações de um mês, com itens",
    period: "month",
    reads: "contracts",
    format: "portal-licitacoes",
  },
  ...sanctionLists.map((list) => ({
    id: list,
    title: `a lista ${list.toUpperCase()} inteira, como era num dia`,
    period: "day" as const,
    reads: "sanctions" as const,
    list,
  })),
];

export const portalDownloadsConfig = z.object({
  PORTAL_DOWNLOADS_URL: sourceUrl
    .default("https://portaldatransparencia.gov.br/download-de-dados")
    .meta({ description: "Base address of the downloads of the Portal da Transparência" }),
  PORTAL_DOWNLOADS_HOSTS: z
    .string()
    .default("dadosabertos-download.cgu.gov.br")
    .transform((list) => list.split(",").map((host) => host.trim().toLowerCase()))
    .meta({ description: "Hosts that a download of the Portal may be redirected to, separated by commas" }),
});
export type PortalDownloadsConfig = z.output<typeof portalDownloadsConfig>;

/** The address of one file; `period` is written 2024-01, or 2024-01-31 where there is one a day. */
export function downloadUrl(config: PortalDownloadsConfig, download: PortalDownload, period: string): string {
  const day = download.period === "month" ? `${period}-01` : period;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || parseDate(day) === null) {
    const form = download.period === "month" ? "a month, as 2024-01" : "a day, as 2024-01-31";
    throw new AppError("invalid_request", `${download.id} is published for ${form}, not for "${period}"`);
  }
  return `${config.PORTAL_DOWNLOADS_URL}/${download.id}/${period.replaceAll("-", "")}`;
}
