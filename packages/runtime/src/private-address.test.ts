import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createHttpClient } from "./http-client.ts";
import { isPrivateAddress, publicLookupBy } from "./private-address.ts";

test.each([
  ..."127.0.0.1 127.255.255.254 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254".split(" "),
  ..."100.64.0.1 100.127.255.255 192.0.0.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255".split(" "),
  ..."::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a00:1 ::127.0.0.1 fe80::1 fe80::1%eth0 fec0::1 fc00::1".split(" "),
  ..."fd12:3456::1 ff02::1 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1 not-an-address 2130706433 0x7f.1".split(" "),
])("%s is private", (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each("1.1.1.1 8.8.8.8 172.15.255.255 172.32.0.1 100.63.255.255 162.159.128.233 2606:4700::6810:84e5".split(" "))(
  "%s is public",
  (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  },
);

test.each([["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], []])(
  "a name that means %j is not connected to",
  async (...addresses) => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const lookup = publicLookupBy(((_host: string, _options: object, answer: (...given: unknown[]) => void) =>
      answer(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      )) as unknown as Parameters<typeof publicLookupBy>[0]);
    await using http = createHttpClient({ userAgent: "tests", lookup });
    const url = `http://inside.example:${(server.address() as AddressInfo).port}/`;
    const asking = http.request({ method: "GET", url }, new AbortController().signal);
    await expect(asking).rejects.toThrow("inside.example has an address that is not public");
    await expect(asking).rejects.toMatchObject({ phase: "connect" });
    expect(requests).toBe(0);
    await new Promise((resolve) => void server.close(resolve));
  },
);
