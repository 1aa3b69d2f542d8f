import type { Sanction } from "@cidadao/domain/sanction";
import { expect, test } from "vitest";
import { exampleSanction } from "./examples.ts";
import { type Buyer, scopeTowardsBuyer } from "./sanction-scope.ts";

const buyer = { agencyName: "Ministério da Fazenda", parentAgencyName: null, unitName: "SAMF/SP" };
const SPHERE_ONLY = "Em todos os Poderes da Esfera do órgão sancionador";
const BAN = "Impedimento/proibição de contratar com prazo determinado";
const SUSPENSION = "Suspensão";
const INELIGIBILITY = "Declaração de Inidoneidade sem prazo determinado";

const cases: [string, Partial<Sanction>, "yes" | "no" | "unknown"][] = [
  ["14.133 art. 156 III by a federal body", {}, "yes"],
  ["14.133 art. 156 III by a municipality", { bodySphere: "municipal" }, "no"],
  ["14.133 art. 156 III by an unknown sphere", { bodySphere: "unknown" }, "unknown"],
  ["14.133 art. 156 IV by a state", law("LEI 14133 - ART. 156, IV", INELIGIBILITY, "state"), "yes"],
  [
    "8.666 art. 87 IV by a municipality",
    law("LEI 8666 - ART. 87, IV - PELA INEXECUÇÃO", INELIGIBILITY, "municipal"),
    "yes",
  ],
  ["8.666 art. 87 III by another body", law("LEI 8666 - ART. 87, III", SUSPENSION, "federal"), "unknown"],
  [
    "8.666 art. 87 III by the buyer itself",
    { ...law("LEI 8666 - ART. 87, III", SUSPENSION, "federal"), sanctioningBody: "MINISTERIO DA FAZENDA" },
    "yes",
  ],
  ["10.520 art. 7 by the Union", law("LEI 10520 - ART. 7º", BAN, "federal"), "yes"],
  ["10.520 art. 7 by a state", law("LEI 10520 - ART. 7º", BAN, "state"), "no"],
  ["12.846 fine", { ...law("LEI 12846 - ART. 6º, I - MULTA", "Multa", "federal"), list: "cnep" }, "no"],
  ["8.429 without words on scope", law("LEI 8429 - ART. 12", "Proibição - Lei de Improbidade", "federal"), "unknown"],
  [
    "8.429 for all spheres",
    { ...law("LEI 8429 - ART. 12", "Proibição", "state"), scope: "Todas as Esferas em todos os Poderes" },
    "yes",
  ],
  ["8.429 for the state's sphere", { ...law("LEI 8429 - ART. 12", "Proibição", "state"), scope: SPHERE_ONLY }, "no"],
  ["TCU, 8.443 art. 46", law("LEI 8443 - ART. 46", "Inidoneidade - Lei Orgânica TCU", "federal"), "yes"],
  ["12.529 art. 38 II", law("LEI 12529 - ART. 38, II", "Proibição - Lei Antitruste", "federal"), "yes"],
  ["electoral law", law("LEI 9504 - ART. 81", "Proibição - Lei Eleitoral", "federal"), "unknown"],
  ["no ground at all", { legalBasis: [], scope: null }, "unknown"],
];

test.each(cases)("scope: %s", (_name, parts, bars) => {
  expect(scopeTowardsBuyer(exampleSanction("s", parts), buyer).bars).toBe(bars);
});

test("the widest of several grounds decides", () => {
  const legalBasis = ["LEI 12846 - ART. 6º, I - MULTA", "LEI 14133 - ART. 156, III"];
  expect(scopeTowardsBuyer(exampleSanction("s", { legalBasis }), buyer).bars).toBe("yes");
});

test("a published scope narrower than the law is told apart", () => {
  const parts = { ...law("LEI 8666 - ART. 87, IV", INELIGIBILITY, "municipal"), scope: SPHERE_ONLY };
  expect(scopeTowardsBuyer(exampleSanction("s", parts), buyer)).toMatchObject({
    bars: "yes",
    isNarrowerInWords: true,
  });
  expect(scopeTowardsBuyer(exampleSanction("s", {}), buyer).isNarrowerInWords).toBe(false);
});

const stateBuyer: Buyer = { ...buyer, agencyName: "Secretaria da Fazenda", buyerSphere: "state", buyerState: "SP" };
const municipalBuyer: Buyer = {
  agencyName: "MUNICIPIO DE BOM JESUS",
  parentAgencyName: null,
  unitName: "Fundo de Saúde",
  buyerSphere: "municipal",
  buyerState: "GO",
};
const stateBan = { bodySphere: "state", bodyState: "SP" } as const;
const municipalBan = { bodySphere: "municipal", bodyState: "GO" } as const;

const otherBuyers: [string, Buyer, Partial<Sanction>, "yes" | "no" | "unknown"][] = [
  [
    "an ineligibility by a municipality, a state",
    stateBuyer,
    law("LEI 14133 - ART. 156, IV", INELIGIBILITY, "municipal"),
    "yes",
  ],
  [
    "an ineligibility by a state, a municipality",
    municipalBuyer,
    law("LEI 8666 - ART. 87, IV", INELIGIBILITY, "state"),
    "yes",
  ],
  [
    "antitrust law, a municipality",
    municipalBuyer,
    law("LEI 12529 - ART. 38, II", "Proibição - Lei Antitruste", "federal"),
    "yes",
  ],
  ["a ban by the same state, that state", stateBuyer, stateBan, "yes"],
  ["a ban by another state, a state", stateBuyer, { ...stateBan, bodyState: "RJ" }, "no"],
  ["a ban by a state that nobody names, a state", stateBuyer, { ...stateBan, bodyState: null }, "unknown"],
  ["a ban by a municipality of the state, a state", stateBuyer, { ...municipalBan, bodyState: "SP" }, "no"],
  ["a ban by the Union, a state", stateBuyer, law("LEI 10520 - ART. 7º", BAN, "federal"), "no"],
  ["a ban by an unknown sphere, a state", stateBuyer, { bodySphere: "unknown" }, "unknown"],
  ["a ban by the Union, a municipality", municipalBuyer, {}, "no"],
  [
    "a ban by the same municipality, it",
    municipalBuyer,
    { ...municipalBan, sanctioningBody: "Prefeitura Municipal de Bom Jesus (GO)" },
    "yes",
  ],
  [
    "a ban by the council of the same municipality, it",
    municipalBuyer,
    { ...municipalBan, sanctioningBody: "CÂMARA MUNICIPAL DE BOM JESUS - GO" },
    "yes",
  ],
  [
    "a ban by a namesake in another state, a municipality",
    municipalBuyer,
    { ...municipalBan, bodyState: "PI", sanctioningBody: "Prefeitura Municipal de Bom Jesus" },
    "no",
  ],
  [
    "a ban by a namesake in an unknown state, a municipality",
    municipalBuyer,
    { ...municipalBan, bodyState: null, sanctioningBody: "Prefeitura Municipal de Bom Jesus" },
    "unknown",
  ],
  [
    "a ban by a longer name, a municipality",
    municipalBuyer,
    { ...municipalBan, sanctioningBody: "Prefeitura de Bom Jesus de Goiás" },
    "unknown",
  ],
  [
    "a ban by a fund without a place, a municipality",
    municipalBuyer,
    { ...municipalBan, sanctioningBody: "Secretaria de Saúde" },
    "unknown",
  ],
  ["the TCU, a state", stateBuyer, law("LEI 8443 - ART. 46", "Inidoneidade - Lei Orgânica TCU", "federal"), "no"],
  [
    "the TCU, a municipality",
    municipalBuyer,
    law("LEI 8443 - ART. 46", "Inidoneidade - Lei Orgânica TCU", "federal"),
    "no",
  ],
  [
    "a suspension by the buyer itself, a state",
    stateBuyer,
    { ...law("LEI 8666 - ART. 87, III", SUSPENSION, "state"), sanctioningBody: "SECRETARIA DA FAZENDA" },
    "yes",
  ],
  ["a suspension by another body, a state", stateBuyer, law("LEI 8666 - ART. 87, III", SUSPENSION, "state"), "unknown"],
  [
    "a judgment for the state's sphere, that state",
    stateBuyer,
    { ...law("LEI 8429 - ART. 12", "Proibição", "state"), bodyState: "SP", scope: SPHERE_ONLY },
    "yes",
  ],
  [
    "a judgment for the state's sphere and Power, that state",
    stateBuyer,
    {
      ...law("LEI 8429 - ART. 12", "Proibição", "state"),
      bodyState: "SP",
      scope: "Na Esfera e no Poder do órgão sancionador",
    },
    "unknown",
  ],
  [
    "a judgment for the Union's sphere, a municipality",
    municipalBuyer,
    { ...law("LEI 8429 - ART. 12", "Proibição", "federal"), scope: SPHERE_ONLY },
    "no",
  ],
  [
    "a fine, a municipality",
    municipalBuyer,
    { ...law("LEI 12846 - ART. 6º, I - MULTA", "Multa", "municipal"), list: "cnep" },
    "no",
  ],
];

test.each(otherBuyers)("scope of %s", (_name, one, parts, bars) => {
  expect(scopeTowardsBuyer(exampleSanction("s", parts), one).bars).toBe(bars);
});

test("a buyer of unknown sphere counts as federal", () => {
  for (const buyerSphere of [null, "unknown", "federal"] as const) {
    expect(scopeTowardsBuyer(exampleSanction("s"), { ...stateBuyer, buyerSphere }).bars).toBe("yes");
  }
});

function law(ground: string, kind: string, bodySphere: Sanction["bodySphere"]): Partial<Sanction> {
  return { legalBasis: [ground], kind, bodySphere };
}
