import { PNCP, pncpContractPage } from "../pncp/buyer.ts";
import { contractIdOf, contractOf, contractWire, isRevenue } from "../pncp/contract.ts";
import {
  type Batch,
  defineFileFormat,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import type { OpenedFile } from "./open-text.ts";
import { readEachRecord } from "./read-each-record.ts";
import { seenRecords } from "./seen.ts";

export const pncpContratos = defineFileFormat({
  id: "pncp-contratos",
  title: "Contratos do PNCP (JSON)",
  description:
    "Respostas de /v1/contratos da API de consulta do PNCP (https://pncp.gov.br/api/consulta): a página inteira, só a " +
    "lista, ou um contrato por linha. Contratos de receita ficam fora.",
  attribution: "Portal Nacional de Contratações Públicas (PNCP), contratos",
  recognises: (head) => head.includes('"niFornecedor"') && /"(?:numeroControlePNCP|sequencialContrato)"/.test(head),
  read,
});

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const isUnseen = seenRecords();
  return readEachRecord(files, ({ line, value }, { file, complain, out }) => {
    const wire = contractWire.safeParse(value).data;
    const id = wire === undefined ? null : contractIdOf(wire);
    if (wire === undefined || id === null) {
      complain("unusable-record", { line, reason: "no control number, or not the fields of a contract" });
    } else if (isRevenue(wire)) {
      complain("revenue-contract", { line, reason: "the State receives: it is no purchase" });
    } else if (isNew(isUnseen(id, JSON.stringify(value)), line, complain)) {
      const fields = rowFields(id, line, complain);
      const url = pncpContractPage(id)!;
      const provenance = provenanceOf(context, file, { source: PNCP, sourceId: id, url });
      out.batch.contracts.push({ provenance, ...contractOf(fields, wire) });
    }
  });
}
