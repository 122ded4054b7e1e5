import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { pictureRecipeSchema, type Picture } from '../../shared/domain/picture.ts';

/**
 * A drawing's recipe inside its PNG, as text chunks (PNG, third edition, 11.3.3): `textbind` holds it as JSON, which is
 * read back; `Description` and `Software` are the standard's own keywords; `parameters` says the same in the form that
 * other drawing programs read. Nothing of the machine or its person is in it.
 */

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const recipeKeyword = 'textbind';
const ourKeywords = [recipeKeyword, 'Description', 'Software', 'parameters'] as const;
/** Length, type and check of a chunk, and the longest text that is looked at: bytes. */
const chunkFrame = 12;
const mostTextBytes = 64 * 1024;

/** A caption and what was drawn from it. */
export type EmbeddedRecipe = {
  readonly caption: string;
  readonly recipe: NonNullable<Picture['recipe']>;
};

const embeddedSchema = z.object({
  version: z.literal(1),
  caption: z.string().trim().min(1).max(2000),
  ...pictureRecipeSchema.shape,
  steps: z.number().int().min(1).max(1000),
  guidance: z.number().min(0).max(100),
  model: z.string().max(200),
  negative: z.string().max(2000).optional(),
});

/** The PNG with the recipe in it, in place of one that it may have; what is no PNG comes back as it is. */
export function embedRecipe(
  png: Uint8Array,
  { caption, recipe }: EmbeddedRecipe,
  size: { readonly width: number; readonly height: number },
): Uint8Array {
  const chunks = readChunks(png);
  const header = chunks?.[0];
  if (chunks === null || header?.type !== 'IHDR') return png;
  const kept = chunks.slice(1).filter(({ keyword }) => !isOurs(keyword));
  const texts = [
    textChunk('Software', 'TextBind Studio'),
    textChunk('Description', caption),
    textChunk(recipeKeyword, JSON.stringify({ version: 1, caption, ...recipe, ...size })),
    textChunk('parameters', parametersOf({ caption, recipe }, size)),
  ];
  return new Uint8Array(
    Buffer.concat([signature, header.bytes, ...texts, ...kept.map(({ bytes }) => bytes)]),
  );
}

/** The recipe in a PNG, or null where there is none that can be read. */
export function readRecipe(bytes: Uint8Array): EmbeddedRecipe | null {
  const chunk = readChunks(bytes)?.find(({ keyword }) => keyword === recipeKeyword);
  if (chunk === undefined || chunk.bytes.length > mostTextBytes) return null;
  const parsed = embeddedSchema.safeParse(parseJson(readText(chunk)));
  if (!parsed.success) return null;
  const { caption, seed, steps, guidance, model, negative } = parsed.data;
  const said = negative === undefined || negative === '' ? {} : { negative };
  return { caption, recipe: { seed, steps, guidance, model, ...said } };
}

interface Chunk {
  readonly type: string;
  /** Of a text chunk. */
  readonly keyword: string | null;
  /** Its whole frame. */
  readonly bytes: Buffer;
}

/** Null where it is no PNG, or one that is cut short. */
function readChunks(png: Uint8Array): Chunk[] | null {
  const file = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (!file.subarray(0, signature.length).equals(signature)) return null;
  const chunks: Chunk[] = [];
  for (let at = signature.length; at + chunkFrame <= file.length;) {
    const end = at + chunkFrame + file.readUInt32BE(at);
    if (end > file.length) return null;
    const bytes = file.subarray(at, end);
    const type = bytes.toString('latin1', 4, 8);
    chunks.push({ type, keyword: keywordOf(type, bytes), bytes });
    if (type === 'IEND') return chunks;
    at = end;
  }
  return null;
}

function keywordOf(type: string, bytes: Buffer): string | null {
  if (type !== 'iTXt' && type !== 'tEXt' && type !== 'zTXt') return null;
  // A keyword has at most 79 letters, then a zero.
  const end = bytes.subarray(8, 8 + 80).indexOf(0);
  return end < 0 ? null : bytes.toString('latin1', 8, 8 + end);
}

function isOurs(keyword: string | null): boolean {
  return ourKeywords.some((ours) => ours === keyword);
}

/** An iTXt chunk, not compressed: UTF-8. */
function textChunk(keyword: string, text: string): Buffer {
  // Zeros: end of the keyword, not compressed, method, no language, no translated keyword.
  const body = Buffer.concat([
    Buffer.from(`iTXt${keyword}`, 'latin1'),
    Buffer.alloc(5),
    Buffer.from(text, 'utf8'),
  ]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** The text of an iTXt chunk as we write it; null for one that is compressed or has a language. */
function readText({ type, keyword, bytes }: Chunk): string | null {
  if (type !== 'iTXt' || keyword === null) return null;
  const from = 8 + keyword.length;
  const zeros = bytes.subarray(from, from + 5);
  return zeros.equals(Buffer.alloc(5)) ? bytes.toString('utf8', from + 5, bytes.length - 4) : null;
}

/** As Stable Diffusion web UIs write it. */
function parametersOf(
  { caption, recipe }: EmbeddedRecipe,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const { seed, steps, guidance, model, negative } = recipe;
  const unlike = negative === undefined || negative === '' ? [] : [`Negative prompt: ${negative}`];
  const figures = `Steps: ${steps}, CFG scale: ${guidance}, Seed: ${seed}, Size: ${width}x${height}, Model: ${model}`;
  return [caption, ...unlike, figures].join('\n');
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
