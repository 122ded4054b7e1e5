import { z } from 'zod';

const infoSchema = z.looseObject({
  gpuDevice: z.array(z.looseObject({ vendorId: z.number(), deviceId: z.number() })).default([]),
});

/** Makers by their PCI number; what is not here is a software renderer or a virtual screen. */
const makers = new Map([
  [0x10de, 'An NVIDIA graphics card'],
  [0x1002, 'An AMD graphics card'],
  [0x8086, 'An Intel graphics processor'],
  [0x106b, 'An Apple graphics processor'],
  [0x5143, 'A Qualcomm graphics processor'],
]);

/** What Chromium knows of the graphics cards, as names. */
export function cardsOf(info: unknown): string[] {
  const parsed = infoSchema.safeParse(info);
  if (!parsed.success) return [];
  const names = parsed.data.gpuDevice.map(({ vendorId }) => makers.get(vendorId));
  return [...new Set(names.filter((name) => name !== undefined))];
}
