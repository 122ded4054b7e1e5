// A stand-in for the internet inside a network of its own: it answers every name, takes every connection, and
// writes down each. What it is never asked was never tried.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** The only name server of the network. */
export const nameServer = '10.77.0.1';
/** Every name is said to be here, an address kept for documentation; all addresses lead back to this machine. */
const everywhere = [198, 51, 100, 7] as const;
/** HTTP, HTTPS, DNS over TLS, STUN and TURN. */
const tcpPorts = [80, 443, 853, 3478] as const;
/** DNS elsewhere than at the name server, QUIC, multicast DNS, STUN, Google's STUN. */
const udpPorts = [53, 443, 3478, 5353, 19302] as const;

/** Starts recording; `events` grows. Needs the network that namespace.ts sets up. */
export async function startRecorder(): Promise<{ readonly events: string[]; stop(): void }> {
  const events: string[] = [];
  const stops: (() => void)[] = [];
  const names = createSocket({ type: 'udp4', reuseAddr: true });
  names.on('message', (query, from) => {
    const { name, end } = readName(query);
    events.push(`look-up of ${name}`);
    names.send(answer(query, end), from.port, from.address);
  });
  await new Promise<void>((resolve) => names.bind(53, nameServer, resolve));
  stops.push(() => names.close());
  for (const port of udpPorts) {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('message', (packet) => events.push(`${packet.length} bytes by UDP to port ${port}`));
    await new Promise<void>((resolve) => socket.bind(port, resolve));
    stops.push(() => socket.close());
  }
  for (const port of tcpPorts) {
    const server = createServer((socket) => {
      events.push(`connection to ${socket.localAddress}:${port}`);
      socket.on('error', () => undefined);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(port, '::', resolve));
    stops.push(() => server.close());
  }
  return { events, stop: () => stops.forEach((stop) => stop()) };
}

/** The name that a query asks for (RFC 1035, 4.1.2), and where its question ends. */
function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length !== 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 5 };
}

/** One address for type A, none for any other. */
function answer(query: Buffer, end: number): Buffer {
  const isAddress = query.readUInt16BE(end - 4) === 1;
  const head = Buffer.from([0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...everywhere]);
  const parts = [query.subarray(0, 2), head, query.subarray(12, end)];
  return Buffer.concat(isAddress ? [...parts, record] : parts);
}
