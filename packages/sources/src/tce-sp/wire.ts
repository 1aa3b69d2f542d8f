import type { Agency } from "@cidadao/domain/contract";
import { z } from "zod";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, scalar } from "../reading.ts";

export const TCE_SP = "tce-sp";
const SITE = "https://transparencia.tce.sp.gov.br";

export const municipalityWire = z.object({ municipio: scalar, municipio_extenso: scalar });

/** A municipality that the court audits, as a buyer: the capital has a court of its own, and is not among them. */
export function readMunicipalities(): AnswerReader<Agency> {
  return readerOf(municipalityWire, (wire, answer) => {
    const { municipio: code } = wire;
    if (typeof code !== "string" || !/^[a-z0-9-]{2,60}$/.test(code)) return "no short name (municipio)";
    const fields = fieldReader(code);
    const name = fields.text("municipio_extenso", wire.municipio_extenso);
    if (name === null) return "no name (municipio_extenso)";
    const record: Agency = {
      provenance: answeredProvenance(
        answer,
        { source: TCE_SP, sourceId: code, url: `${SITE}/municipio/${code}` },
        SITE,
      ),
      code,
      name,
      parentCode: null,
      parentName: null,
    };
    return { record, complaints: fields.complaints };
  });
}
