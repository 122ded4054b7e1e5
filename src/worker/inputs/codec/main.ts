/**
 * The thread in which pictures are decoded. It loads libvips as WebAssembly, loses every way out, and then answers
 * (picture-codec.ts asks).
 */
import { parentPort } from 'node:worker_threads';
import { toWireError } from '../../../shared/errors.ts';
import { closeDoors } from './close-doors.ts';
import { check, decode, encodePng, encodeThumbnail } from './decode.ts';
import { moduleFile, sharp } from './load-sharp.ts';
import type { CodecAnswer, CodecQuestion, FromCodec, ToCodec } from './protocol.ts';

const port = parentPort;
if (port === null) throw new Error('This is a thread of the engine.');
closeDoors(moduleFile);
port.on('message', ({ id, question }: ToCodec) => void reply(id, question).then(send));
const { versions } = sharp;
send({ kind: 'ready', sharp: versions.sharp ?? '', vips: versions.vips });

function send(message: FromCodec): void {
  port?.postMessage(message, message.kind === 'answer' ? [message.bytes.buffer] : []);
}

async function reply(id: number, question: CodecQuestion): Promise<FromCodec> {
  try {
    return { kind: 'answer', id, ...(await answer(question)) };
  } catch (error) {
    return { kind: 'error', id, error: toWireError(error) };
  }
}

async function answer(question: CodecQuestion): Promise<CodecAnswer> {
  if (question.kind === 'png') {
    const { image, maxSide } = question;
    const bytes = own(await encodePng(image, maxSide));
    return { width: image.width, height: image.height, bytes };
  }
  const { kind, bytes, name } = question;
  if (kind === 'check') return { ...(await check(bytes, name)), bytes: new Uint8Array() };
  const image = await decode(bytes, name);
  const { width, height } = image;
  const data = kind === 'pixels' ? image.data : await encodeThumbnail(image, question.side);
  return { width, height, bytes: own(data) };
}

/** A copy: what the module gives may lie in its memory, which it writes to again. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
