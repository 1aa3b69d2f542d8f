import { jsonReply, type RecordedServer, startRecordedServer, htmlReply } from "../recorded-server.ts";
import type { FaultPlan } from "../portal/faults.ts";

/** The three registers, each below a path of its own. */
export type CnpjServer = Omit<RecordedServer, "origin"> & {
  openCnpjUrl: string;
  minhaReceitaUrl: string;
  brasilApiUrl: string;
};

export type CnpjServerOptions = {
  /** What each register says of a company, by CNPJ; a company that is not there answers 404. */
  companies: Record<"opencnpj" | "minhareceita" | "brasilapi", Record<string, unknown>>;
  faults?: FaultPlan;
};

/** The registers of companies on the loopback interface; `/opencnpj`, `/minhareceita` and `/brasilapi` are their paths in a fault plan. */
export async function startCnpj({ companies, faults }: CnpjServerOptions): Promise<CnpjServer> {
  const { origin, ...server } = await startRecordedServer({
    pathBelow: (pathname) => (/^\/(?:opencnpj|minhareceita|brasilapi)\//.test(pathname) ? pathname : null),
    answer: ({ path }) => {
      const [, register, cnpj] = path.split("/") as [string, keyof typeof companies, string];
      const company = companies[register][cnpj];
      if (company !== undefined) return jsonReply(200, JSON.stringify(company));
      const message = `CNPJ ${cnpj} não encontrado.`;
      return jsonReply(404, JSON.stringify({ message, type: "not_found", name: "NotFoundError" }));
    },
    refusals: {
      rateLimited: () => ({ status: 429, headers: { "content-type": "text/plain; charset=utf-8" }, body: "" }),
      keyInvalid: () => htmlReply(403, "<title>403</title>"),
      forbidden: () => htmlReply(403, "<title>403</title>"),
      broken: (status) =>
        jsonReply(
          status,
          '{"message":"Request failed with status code 503","type":"internal_error","name":"AxiosError"}',
        ),
    },
    ...(faults ? { faults } : {}),
  });
  return {
    ...server,
    openCnpjUrl: `${origin()}/opencnpj`,
    minhaReceitaUrl: `${origin()}/minhareceita`,
    brasilApiUrl: `${origin()}/brasilapi`,
  };
}
