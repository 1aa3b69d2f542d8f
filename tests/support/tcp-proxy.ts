import net from "node:net";

/** A line between a client and a server that a test can cut. Connections of before the change are dropped by it. */
export type TcpProxy = AsyncDisposable & {
  readonly port: number;
  /** Connects to the server. */
  pass(): Promise<void>;
  /** Nothing listens: connections are refused. */
  refuse(): Promise<void>;
  /** Accepts connections and never says a word. */
  silence(): Promise<void>;
};

export async function startTcpProxy(target: { port: number }): Promise<TcpProxy> {
  const sockets = new Set<net.Socket>();
  let silent = false;
  let port = 0;
  let server: net.Server | null = null;

  const keep = (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // the other side may go at any time
    socket.on("close", () => sockets.delete(socket));
  };
  const accept = (client: net.Socket) => {
    keep(client);
    if (silent) return void client.resume();
    const upstream = net.connect(target.port, "127.0.0.1");
    keep(upstream);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    client.pipe(upstream).pipe(client);
  };
  const close = async () => {
    const closing = server;
    server = null;
    for (const socket of sockets) socket.resetAndDestroy();
    if (closing) await new Promise<void>((resolve) => void closing.close(() => resolve()));
  };
  const listen = async () => {
    const started = net.createServer(accept);
    await new Promise<void>((resolve, reject) => {
      started.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    port = (started.address() as net.AddressInfo).port;
    server = started;
  };
  const become = async (next: { silent: boolean }) => {
    await close();
    silent = next.silent;
    await listen();
  };

  await listen();
  return {
    get port() {
      return port;
    },
    pass: () => become({ silent: false }),
    silence: () => become({ silent: true }),
    refuse: close,
    [Symbol.asyncDispose]: close,
  };
}
