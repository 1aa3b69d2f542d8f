import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Ranges that no public service has: this machine, private and shared networks, link-local (metadata), documentation, multicast. */
const ranges: [string, number, "ipv4" | "ipv6"][] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 96, "ipv6"],
  ["64:ff9b::", 16, "ipv6"],
  ["100::", 64, "ipv6"],
  ["2001::", 23, "ipv6"],
  ["2001:db8::", 32, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 9, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

const blocked = new BlockList();
for (const [address, prefix, family] of ranges) blocked.addSubnet(address, prefix, family);

/** True for every address that is not on the public internet; an IPv4 address in IPv6 dress is judged as what it is. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.split("%", 1)[0]!;
  const family = isIP(bare);
  if (family === 0) return true;
  return blocked.check(bare, family === 6 ? "ipv6" : "ipv4");
}

/**
 * Looks a name up and refuses it when any of its addresses is not public: what was checked is what is connected to, so
 * a name that changes its mind between the two gains nothing.
 */
export const publicLookup: LookupFunction = publicLookupBy(systemLookup);

export function publicLookupBy(lookup: typeof systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "");
      const isRefused = addresses.length === 0 || addresses.some(({ address }) => isPrivateAddress(address));
      if (isRefused) return callback(new Error(`${hostname} has an address that is not public; refused`), "");
      if (options.all) return callback(null, addresses);
      callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}
