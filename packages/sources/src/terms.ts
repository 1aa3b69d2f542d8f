import type { Contract, DirectAwardKind, ProcurementMethod, Supplier } from "@cidadao/domain/contract";
import type { GovernmentSphere } from "@cidadao/domain/sanction";
import { bareTaxId, parseCnpj } from "@cidadao/domain/tax-id";
import { type FieldReader, isAbsent, maskPersonCode, safeText, type Scalar } from "./reading.ts";

export type Method = Pick<Contract, "procurementMethod" | "procurementMethodDetails" | "directAwardKind">;

const METHODS: [prefix: string, method: ProcurementMethod, kind: DirectAwardKind | null][] = [
  ["pregao", "open", null],
  ["concorrencia", "open", null],
  ["concurso", "open", null],
  ["leilao", "open", null],
  ["tomada de preco", "selective", null],
  ["convite", "limited", null],
  ["dispensa", "direct", "waived"],
  ["inexigibilidade", "direct", "no_competition"],
];

export function methodOf(fields: FieldReader, value: Scalar): Method {
  const details = fields.text("modalidadeCompra", value);
  const found = details === null ? undefined : methodNamed(details);
  if (details !== null && !found) {
    fields.complain("modalidadeCompra", `unknown method: ${details.slice(0, 60)}`, "unknown-method");
  }
  return {
    procurementMethod: found?.[1] ?? "unknown",
    procurementMethodDetails: details,
    directAwardKind: found?.[2] ?? null,
  };
}

function methodNamed(details: string) {
  const plain = details.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return METHODS.find(([prefix]) => plain.startsWith(prefix));
}

/** Says who a published code names. It is the one place a CPF passes through, and it only leaves masked. */
export function identifySupplier(
  fields: FieldReader,
  field: string,
  code: string | null,
  cpfField: Scalar,
): Pick<Supplier, "kind" | "taxId"> {
  if (code === null) {
    fields.complain(field, "no code of the supplier", "missing-field");
    return { kind: "unknown", taxId: null };
  }
  const bare = bareTaxId(code);
  const cnpj = parseCnpj(code);
  if (cnpj !== null) return { kind: "company", taxId: cnpj };
  const cpf = maskPersonCode(code);
  if (cpf !== null) {
    if (!code.includes("*")) fields.listen?.("cpf-masked", field, "a CPF was published in full");
    return { kind: "person", taxId: cpf };
  }
  if (rawText(cpfField) === code) {
    fields.complain(field, "the code in the CPF field is not a CPF", "unknown-supplier-code");
    return { kind: "person", taxId: null };
  }
  const taxId = safeText(code).slice(0, 100);
  if (/^(?:EX|ESTRANGEIRO_)/i.test(code)) return { kind: "foreign", taxId };
  if (/^\d{6}$/.test(bare)) return { kind: "public_body", taxId: bare };
  fields.complain(
    field,
    `neither CNPJ nor any other known code: ${JSON.stringify(taxId.slice(0, 60))}`,
    /^[0-9A-Z]{12}\d{2}$/.test(bare) ? "invalid-cnpj" : "unknown-supplier-code",
  );
  return { kind: "unknown", taxId };
}

export function rawText(value: Scalar): string | null {
  const text = value === null || value === undefined ? "" : String(value).trim();
  return isAbsent(text) ? null : text;
}

export function sphereOf(value: Scalar): GovernmentSphere {
  const spheres: Record<string, GovernmentSphere> = { FEDERAL: "federal", ESTADUAL: "state", MUNICIPAL: "municipal" };
  return (
    spheres[
      String(value ?? "")
        .trim()
        .toUpperCase()
    ] ?? "unknown"
  );
}
