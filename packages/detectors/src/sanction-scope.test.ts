import type { Sanction } from "@cidadao/domain/sanction";
import { expect, test } from "vitest";
import { exampleSanction } from "./examples.ts";
import { scopeTowardsFederalBuyer } from "./sanction-scope.ts";

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
  expect(scopeTowardsFederalBuyer(exampleSanction("s", parts), buyer).bars).toBe(bars);
});

test("the widest of several grounds decides", () => {
  const legalBasis = ["LEI 12846 - ART. 6º, I - MULTA", "LEI 14133 - ART. 156, III"];
  expect(scopeTowardsFederalBuyer(exampleSanction("s", { legalBasis }), buyer).bars).toBe("yes");
});

test("a published scope narrower than the law is told apart", () => {
  const parts = { ...law("LEI 8666 - ART. 87, IV", INELIGIBILITY, "municipal"), scope: SPHERE_ONLY };
  expect(scopeTowardsFederalBuyer(exampleSanction("s", parts), buyer)).toMatchObject({
    bars: "yes",
    isNarrowerInWords: true,
  });
  expect(scopeTowardsFederalBuyer(exampleSanction("s", {}), buyer).isNarrowerInWords).toBe(false);
});

function law(ground: string, kind: string, bodySphere: Sanction["bodySphere"]): Partial<Sanction> {
  return { legalBasis: [ground], kind, bodySphere };
}
