import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export type MailSink = AsyncDisposable & {
  url: string;
  accepted: ParsedMail[];
  /** What the next messages meet, one each: a reply code, or a connection cut before or after the message was taken. */
  setFaults: (faults: MailFault[]) => void;
};

export type MailFault = { reply: number } | { cut: "before" | "after" } | { recipient: number };

/** A real SMTP server on loopback that keeps what it takes. */
export async function startMailSink(): Promise<MailSink> {
  const accepted: ParsedMail[] = [];
  let faults: MailFault[] = [];
  const sockets = new Set<{ destroy: () => void }>();
  const refuse = (code: number) => Object.assign(new Error("refused by the test"), { responseCode: code });
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    onRcptTo: (_address, _session, callback) => {
      const [fault] = faults;
      if (fault === undefined || !("recipient" in fault)) return callback();
      faults.shift();
      callback(refuse(fault.recipient));
    },
    onData: (stream, _session, callback) => {
      simpleParser(stream, (error: unknown, mail) => {
        if (error) return callback(error as Error);
        const fault = faults.shift();
        if (fault && "reply" in fault) return callback(refuse(fault.reply));
        if (fault && "cut" in fault) {
          if (fault.cut === "after") accepted.push(mail);
          for (const socket of sockets) socket.destroy();
          return;
        }
        accepted.push(mail);
        callback();
      });
    },
  });
  server.on("error", () => {}); // connections that a test cuts
  server.server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    accepted,
    setFaults: (next) => {
      faults = [...next];
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
