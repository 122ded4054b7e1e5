import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** A small GGUF file: texts and counts as metadata, and tensors of two Q8_0 blocks each. */
export function ggufOf(
  metadata: Readonly<Record<string, string | number>>,
  tensors: readonly string[],
): Buffer {
  const writer = new BinaryWriter();
  const long = (value: number): void => {
    writer.fixed64(BigInt(value));
  };
  const text = (value: string): void => {
    const bytes = Buffer.from(value);
    long(bytes.length);
    writer.raw(bytes);
  };
  writer.raw(Buffer.from('GGUF')).fixed32(3);
  long(tensors.length);
  long(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    text(key);
    writer.fixed32(typeof value === 'string' ? 8 : 4);
    if (typeof value === 'string') text(value);
    else writer.fixed32(value);
  }
  tensors.forEach((name, index) => {
    text(name);
    writer.fixed32(2);
    long(32);
    long(2);
    writer.fixed32(8);
    long(index * 96);
  });
  const header = writer.finish();
  const padding = (32 - (header.length % 32)) % 32;
  return Buffer.concat([header, Buffer.alloc(padding + tensors.length * 96, 1)]);
}
