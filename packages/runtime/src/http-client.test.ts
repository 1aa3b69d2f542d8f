import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { AppError } from "./errors.ts";
import {
  createHttpClient,
  HttpError,
  type HttpClientOptions,
  type HttpOutcome,
  type HttpRequest,
} from "./http-client.ts";

const never = new AbortController().signal;
let resources = new AsyncDisposableStack();
afterEach(async () => {
  await resources.disposeAsync();
  resources = new AsyncDisposableStack();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  resources.defer(async () => {
    const closed = new Promise((resolve) => void server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(options: Partial<HttpClientOptions> = {}) {
  return resources.use(createHttpClient({ userAgent: "cidadao-tests", ...options }));
}

async function failureOf(promise: Promise<unknown>): Promise<HttpError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HttpError);
  return error as HttpError;
}

const get = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({ method: "GET", url, ...more });

test("says who it is and hands over status, headers and text", async () => {
  const url = await serve((request, response) => {
    response.writeHead(404, { "content-type": "text/plain", "set-cookie": ["a=1", "b=2"] });
    response.end(
      `${request.method} ${request.url} ${request.headers["user-agent"]} ${String(request.headers["x-other"])}`,
    );
  });
  const outcomes: HttpOutcome[] = [];
  const http = client({ onResponse: (outcome) => outcomes.push(outcome) });
  const answer = await http.request(
    get(`${url}/a?b=1`, { headers: { "x-other": "x" }, source: "s", route: "/a" }),
    never,
  );
  expect(answer).toMatchObject({ status: 404, text: "GET /a?b=1 cidadao-tests x", url: `${url}/a?b=1` });
  expect(answer.headers["set-cookie"]).toBe("a=1, b=2");
  expect(outcomes).toMatchObject([{ source: "s", route: "/a", method: "GET", status: 404, error: null }]);
});

test("sends a body", async () => {
  const url = await serve((request, response) => void request.pipe(response));
  const answer = await client().request({ method: "POST", url, body: "olá" }, never);
  expect(answer.text).toBe("olá");
});

test.each([
  ["application/json;charset=ISO-8859-1", Buffer.from("não", "latin1")],
  ['text/plain; charset="windows-1252"', Buffer.from("não", "latin1")],
  ["application/json", Buffer.from("não")],
  ["text/plain; charset=no-such-thing", Buffer.from("não")],
])("reads the text by the charset of %s", async (type, body) => {
  const url = await serve((_, response) => response.writeHead(200, { "content-type": type }).end(body));
  expect((await client().request(get(url), never)).text).toBe("não");
});

test("unpacks gzip, and refuses what grows beyond the limit or is not gzip", async () => {
  const bodies: Record<string, Buffer> = {
    "/good": gzipSync("olá"),
    "/bomb": gzipSync(Buffer.alloc(1_000_000)),
    "/bad": Buffer.from("not gzip"),
  };
  const url = await serve((request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(bodies[request.url!]);
  });
  const http = client();
  expect((await http.request(get(`${url}/good`), never)).text).toBe("olá");
  for (const path of ["/bomb", "/bad"]) {
    const error = await failureOf(http.request(get(url + path, { bytesMax: 10_000 }), never));
    expect(error).toMatchObject({ code: "source_invalid", phase: "sent" });
  }
});

test("refuses a body beyond the limit, announced or not", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/announced") response.writeHead(200, { "content-length": 5_000 });
    for (let part = 0; part < 5; part++) response.write(Buffer.alloc(1_000));
    response.end();
  });
  const http = client();
  for (const path of ["/announced", "/chunked"]) {
    const error = await failureOf(http.request(get(url + path, { bytesMax: 3_000 }), never));
    expect(error).toMatchObject({ code: "source_invalid", phase: "sent" });
  }
  expect((await http.request(get(`${url}/chunked`, { bytesMax: 5_000 }), never)).text).toHaveLength(5_000);
});

test("follows no redirect", async () => {
  const url = await serve((_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end());
  const http = client();
  expect(await failureOf(http.request(get(url), never))).toMatchObject({ code: "source_invalid" });
  expect((await http.request(get(url, { redirect: "manual" }), never)).status).toBe(302);
});

test("knows that a refused connection carried nothing", async () => {
  const error = await failureOf(client().request({ method: "POST", url: "http://127.0.0.1:1/", body: "x" }, never));
  expect(error).toMatchObject({ code: "source_unavailable", phase: "connect", retry: true });
  expect(error).toBeInstanceOf(AppError);
});

test("knows that a request may have been received when the connection breaks after it", async () => {
  const url = await serve((request) => void request.socket.resetAndDestroy());
  const error = await failureOf(client().request({ method: "POST", url, body: "x" }, never));
  expect(error).toMatchObject({ code: "source_unavailable", phase: "sent" });
});

test("gives up on headers that do not come, a body that falls silent, and a body that drips", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/headers") return;
    response.writeHead(200, { "content-length": 1_000 });
    response.write("x");
    if (request.url !== "/drip") return;
    const timer = setInterval(() => void response.write("x"), 5);
    response.once("close", () => clearInterval(timer));
  });
  const http = client();
  const cases = [
    [`${url}/headers`, { headersMs: 30 }],
    [`${url}/silent`, { bodyMs: 30 }],
    [`${url}/drip`, { bodyMs: 5_000, totalMs: 60 }],
  ] as const;
  for (const [target, timeouts] of cases) {
    const error = await failureOf(http.request(get(target, { timeouts }), never));
    expect(error).toMatchObject({ code: "deadline_exceeded", phase: "sent" });
  }
});

test("never sends a request that was given up while it waited for a connection", async () => {
  let received = 0;
  const url = await serve((request, response) => {
    received++;
    if (request.url === "/last") response.end();
  });
  const http = client({ connectionsPerHostMax: 1 });
  const stop = new AbortController();
  const holding = failureOf(http.request(get(url), stop.signal));
  const error = await failureOf(http.request({ method: "POST", url, body: "x", timeouts: { connectMs: 20 } }, never));
  expect(error).toMatchObject({ code: "deadline_exceeded", phase: "connect" });
  stop.abort(new AppError("shutting_down", "stopping"));
  expect(await holding).toMatchObject({ code: "shutting_down", phase: "sent" });
  await http.request(get(`${url}/last`), never);
  expect(received).toBe(2);
});

test("does not start when the signal has aborted already", async () => {
  const error = await failureOf(client().request(get("http://127.0.0.1:1/"), AbortSignal.abort(new Error("no"))));
  expect(error).toMatchObject({ phase: "connect" });
});

test("reports an answer that is neither HTTP nor TLS", async () => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("hello\r\n\r\n");
      socket.destroySoon();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  resources.defer(() => new Promise((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  const http = client();
  for (const scheme of ["http", "https"]) {
    const error = await failureOf(http.request(get(`${scheme}://127.0.0.1:${port}/`), never));
    expect(error.code).toBe("source_unavailable");
  }
});

test("ends open exchanges when it is closed", async () => {
  const reached = Promise.withResolvers<void>();
  const url = await serve(() => reached.resolve());
  const http = createHttpClient({ userAgent: "cidadao-tests" });
  const open = failureOf(http.request(get(url), never));
  await reached.promise;
  await http.close();
  expect((await open).phase).toBe("sent");
});

test("downloads piece by piece, no faster than the pieces are taken, and says how many bytes came", async () => {
  const sent = Buffer.alloc(3_000_000, "x");
  const url = await serve((request, response) => {
    response.writeHead(200, { "x-encoding": String(request.headers["accept-encoding"]) }).end(sent);
  });
  let underWay = 0;
  let most = 0;
  let taken = 0;
  const answer = await client().download(
    get(url),
    async (chunk) => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      taken += chunk.length;
      underWay--;
    },
    never,
  );
  expect(answer).toMatchObject({ status: 200, bytes: sent.length, headers: { "x-encoding": "identity" } });
  expect([taken, most]).toEqual([sent.length, 1]);
});

test("ends a download that is too large, that breaks off, or whose pieces nobody can take", async () => {
  const endless = await serve((_, response) => {
    response.writeHead(200);
    const write = () => {
      if (response.destroyed) return;
      if (response.write(Buffer.alloc(65_536))) setImmediate(write);
      else response.once("drain", write);
    };
    write();
  });
  const take = () => Promise.resolve();
  expect(await failureOf(client().download(get(endless, { bytesMax: 1_000_000 }), take, never))).toMatchObject({
    code: "source_invalid",
  });
  const full = () => Promise.reject(new Error("the disk is full"));
  expect((await failureOf(client().download(get(endless), full, never))).message).toContain("the disk is full");
  const broken = await serve((_, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("x", () => response.socket?.resetAndDestroy());
  });
  expect(await failureOf(client().download(get(broken), take, never))).toMatchObject({ code: "source_unavailable" });
});
