import type { Gazette } from "@cidadao/domain/gazette";
import { z } from "zod";
import { expectedText } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, safeText, type Scalar, scalar } from "../reading.ts";
import { QUERIDO_DIARIO } from "./client.ts";

export const gazetteWire = z.object({
  territory_id: scalar,
  territory_name: scalar,
  state_code: scalar,
  date: scalar,
  edition: scalar,
  is_extra_edition: z.boolean().nullish(),
  url: scalar,
  txt_url: scalar,
  excerpts: z.array(scalar).nullish(),
});

export const SITE = "https://queridodiario.ok.org.br";

export function readGazettes(): AnswerReader<Gazette> {
  return readerOf(gazetteWire, (wire, answer) => {
    const territoryId = idText(wire.territory_id);
    if (territoryId === null) return "no municipality (territory_id)";
    const day = fieldReader(territoryId).date("date", wire.date);
    if (day === null) return "no day (date)";
    const edition = idText(wire.edition);
    const isExtra = wire.is_extra_edition ?? null;
    const fields = fieldReader([territoryId, day, edition ?? "-", ...(isExtra ? ["extra"] : [])].join("/"));
    const url = webAddress(wire.url);
    if (url === null) fields.complain("url", "no address of the gazette", "missing-field");
    const record: Gazette = {
      provenance: answeredProvenance(
        answer,
        { source: QUERIDO_DIARIO, sourceId: fields.sourceId, url: url ?? SITE },
        SITE,
      ),
      territoryId,
      territoryName: expectedText(fields, "territory_name", wire.territory_name, `Município ${territoryId}`),
      state: fields.text("state_code", wire.state_code),
      publishedOn: day,
      edition,
      isExtra,
      // What is recognised in gazettes names people: CPFs do not pass.
      excerpts: (wire.excerpts ?? []).flatMap((excerpt) => fields.text("excerpts", excerpt ?? null) ?? []),
      textUrl: webAddress(wire.txt_url),
    };
    return { record, complaints: fields.complaints };
  });
}

function webAddress(value: Scalar): string | null {
  if (typeof value !== "string" || !URL.canParse(value)) return null;
  return /^https?:$/.test(new URL(value).protocol) ? safeText(value) : null;
}
