/**
 * A process that decodes pictures to see whether they can be, makes small ones of them, and keeps nothing. Main starts it, asks it about
 * pictures that a person brings, and ends it.
 */
import {
  decoderOutOfMemory,
  toDecoderSchema,
  type FromDecoder,
  type ToDecoder,
} from '../../shared/contracts/decoder-protocol.ts';
import { decoderMemory } from '../../shared/domain/picture.ts';
import { processPort } from '../../base/process-port.ts';
import { toWireError } from '../../shared/errors.ts';
import { checkImage, makeThumbnail, readPicture } from '../inputs/image.ts';
import { keepCodec } from '../inputs/picture-codec.ts';

const port = processPort();
if (port === null) {
  process.stderr.write('The decoder is started by the app; the command is "textbind".\n');
  process.exitCode = 2;
} else {
  // Decoding runs in threads of its own, so this is looked at while it does. They load while main sends the picture.
  keepCodec();
  setInterval(() => {
    if (process.memoryUsage.rss() > decoderMemory.mostBytes) process.exit(decoderOutOfMemory);
  }, decoderMemory.lookMs);
  port.onMessage((message) => {
    const parsed = toDecoderSchema.safeParse(message);
    if (parsed.success) void answer(parsed.data).then((reply) => port.postMessage(reply));
  });
}

async function answer({ id, name, source, thumbnailSide }: ToDecoder): Promise<FromDecoder> {
  try {
    const bytes = typeof source === 'string' ? (await readPicture(source)).bytes : source;
    if (thumbnailSide === undefined) {
      const { width, height } = await checkImage(bytes, name);
      return { id, width, height, error: null };
    }
    const { width, height, bytes: thumbnail } = await makeThumbnail(bytes, name, thumbnailSide);
    return { id, width, height, error: null, thumbnail };
  } catch (error) {
    return { id, width: 0, height: 0, error: toWireError(error) };
  }
}
