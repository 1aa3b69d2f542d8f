import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";
import type { FaultPlan } from "../portal/faults.ts";
import type { RequestLog } from "../portal/request-log.ts";
import { htmlReply, type RecordedServer, type Reply, startRecordedServer } from "../recorded-server.ts";

/** Files by name, as they are in the zip of a period: "compras/202401". */
export type Published = Record<string, Record<string, Buffer> | Buffer>;

export type PortalDownloadsServer = AsyncDisposable & {
  /** Base address, up to and including "/download-de-dados". */
  url: string;
  /** Where it redirects to: with the port, it is a host of its own. */
  filesHost: string;
  /** Base address of the files there: "compras/202401.zip" below it. */
  filesUrl: string;
  requests: RequestLog;
  fileRequests: RequestLog;
  /** Of the host that has the files. */
  setFaults: RecordedServer["setFaults"];
};

const BASE = "/download-de-dados/";
const FILES = "/PortalDaTransparencia/saida/";

/**
 * The downloads of the Portal da Transparência on the loopback interface: an address for each period, redirected to a
 * zip on another host. A `Buffer` is published as it is, whatever it is.
 */
export async function startPortalDownloads(options: {
  published: Published;
  faults?: FaultPlan;
  /** Says that the files are a recording, and of what. */
  sample?: string;
}): Promise<PortalDownloadsServer> {
  const zips = new Map<string, Buffer>();
  for (const [period, files] of Object.entries(options.published)) {
    zips.set(period, Buffer.isBuffer(files) ? files : await zipOf(files));
  }
  const sample: Record<string, string> =
    options.sample === undefined ? {} : { "x-cidadao-sample": encodeURIComponent(options.sample) };
  const files = await startRecordedServer({
    pathBelow: (pathname) => (pathname.startsWith(FILES) ? pathname.slice(FILES.length - 1) : null),
    answer: ({ path }) => {
      const body = zips.get(path.slice(1).replace(".zip", ""));
      return body ? { status: 200, headers: { "content-type": "application/zip", ...sample }, body } : notFound();
    },
    refusals,
    ...(options.faults ? { faults: options.faults } : {}),
  });
  const front = await startRecordedServer({
    pathBelow: (pathname) => (pathname.startsWith(BASE) ? pathname.slice(BASE.length - 1) : null),
    answer: ({ path }) => ({
      status: 302,
      headers: { location: `${files.origin()}${FILES}${path.slice(1)}.zip` },
      body: "",
    }),
    refusals,
  });
  return {
    url: `${front.origin()}${BASE.slice(0, -1)}`,
    filesHost: new URL(files.origin()).host,
    filesUrl: `${files.origin()}${FILES.slice(0, -1)}`,
    requests: front.requests,
    fileRequests: files.requests,
    setFaults: files.setFaults,
    async [Symbol.asyncDispose]() {
      await Promise.all([front.stop(), files.stop()]);
    },
  };
}

/** Names end in the order in which they are given. */
export async function zipOf(files: Record<string, Buffer>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(content, name, { compress: true });
  zip.end();
  return buffer(zip.outputStream);
}

const refusals = {
  rateLimited: () => htmlReply(429, "<h1>429</h1>"),
  keyInvalid: () => htmlReply(401, "<h1>401</h1>"),
  // What its firewall answers to programs that it does not trust.
  forbidden: (): Reply => {
    const { body, headers } = htmlReply(405, "<title>Human Verification</title>");
    return { status: 405, headers: { ...headers, "x-amzn-waf-action": "captcha" }, body };
  },
  broken: (status: number) => htmlReply(status, "<h1>error</h1>"),
};

function notFound(): Reply {
  return htmlReply(404, "<h1>404 Not Found</h1>");
}
