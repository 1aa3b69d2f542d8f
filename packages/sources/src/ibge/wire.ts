import type { Municipality } from "@cidadao/domain/municipality";
import { stateOfMunicipality } from "@cidadao/domain/states";
import { z } from "zod";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";

export const IBGE = "ibge";
const SITE = "https://cidades.ibge.gov.br";

/** The state is in the code. The regions are not read: the newest municipalities are in no micro-region. */
export const municipalityWire = z.object({ id: scalar, nome: scalar });

export function readMunicipalities(): AnswerReader<Municipality> {
  return readerOf(municipalityWire, (wire, answer) => {
    const code = idText(wire.id);
    if (code === null || !/^\d{7}$/.test(code)) return "no code of seven digits (id)";
    const fields = fieldReader(code);
    const name = fields.text("nome", wire.nome);
    if (name === null) return "no name";
    const state = stateOfMunicipality(code);
    if (state === null) return "no state has such codes";
    const url = `${SITE}/brasil/${state.toLowerCase()}`;
    const record: Municipality = {
      provenance: answeredProvenance(answer, { source: IBGE, sourceId: code, url }, SITE),
      code,
      name,
      state,
    };
    return { record, complaints: fields.complaints };
  });
}
