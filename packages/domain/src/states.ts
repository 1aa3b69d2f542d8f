/** The states and the Federal District: IBGE's number, which begins every code of a municipality, and the name. */
export const states = [
  { code: "AC", ibge: "12", name: "Acre" },
  { code: "AL", ibge: "27", name: "Alagoas" },
  { code: "AM", ibge: "13", name: "Amazonas" },
  { code: "AP", ibge: "16", name: "Amapá" },
  { code: "BA", ibge: "29", name: "Bahia" },
  { code: "CE", ibge: "23", name: "Ceará" },
  { code: "DF", ibge: "53", name: "Distrito Federal" },
  { code: "ES", ibge: "32", name: "Espírito Santo" },
  { code: "GO", ibge: "52", name: "Goiás" },
  { code: "MA", ibge: "21", name: "Maranhão" },
  { code: "MG", ibge: "31", name: "Minas Gerais" },
  { code: "MS", ibge: "50", name: "Mato Grosso do Sul" },
  { code: "MT", ibge: "51", name: "Mato Grosso" },
  { code: "PA", ibge: "15", name: "Pará" },
  { code: "PB", ibge: "25", name: "Paraíba" },
  { code: "PE", ibge: "26", name: "Pernambuco" },
  { code: "PI", ibge: "22", name: "Piauí" },
  { code: "PR", ibge: "41", name: "Paraná" },
  { code: "RJ", ibge: "33", name: "Rio de Janeiro" },
  { code: "RN", ibge: "24", name: "Rio Grande do Norte" },
  { code: "RO", ibge: "11", name: "Rondônia" },
  { code: "RR", ibge: "14", name: "Roraima" },
  { code: "RS", ibge: "43", name: "Rio Grande do Sul" },
  { code: "SC", ibge: "42", name: "Santa Catarina" },
  { code: "SE", ibge: "28", name: "Sergipe" },
  { code: "SP", ibge: "35", name: "São Paulo" },
  { code: "TO", ibge: "17", name: "Tocantins" },
] as const;

/** The state that a municipality with this code of seven digits is in; `null` where it begins with the number of none. */
export function stateOfMunicipality(code: string): string | null {
  return states.find(({ ibge }) => code.startsWith(ibge))?.code ?? null;
}
