import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { StudioError } from '../../shared/errors.ts';

/** What tokenizer.model (sentencepiece_model.proto) says, in the words of a tokenizer.json. */
export interface SentencePieceModel {
  /** `model` of tokenizer.json: the vocabulary and its merges. */
  readonly model: { readonly type: string; readonly [field: string]: unknown };
  /** Pieces that stand for no text of their own: `<unk>`, `<s>`, `</s>`. */
  readonly controls: readonly { readonly content: string; readonly id: number }[];
}

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

/** SentencePiece.Type of the proto. */
const pieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4 } as const;
const bytePairModel = 2;

/**
 * Reads tokenizer.model of a byte-pair model without a normalisation rule, which Llama's is.
 * @throws StudioError `model-invalid` naming the file and what is wrong or not supported in it
 */
export function readSentencePieceModel(bytes: Uint8Array, file: string): SentencePieceModel {
  let read: ReturnType<typeof readFields>;
  try {
    read = readFields(bytes);
  } catch (error) {
    throw new StudioError('model-invalid', `${file}: is not a SentencePiece model`, {
      cause: error,
    });
  }
  const { pieces, modelType, rule, removesExtraSpaces } = read;
  const unknown = pieces.find(({ type }) => type === pieceType.unknown);
  if (unknown === undefined) {
    throw new StudioError('model-invalid', `${file}: is not a SentencePiece model`);
  }
  if (modelType !== bytePairModel) {
    throw new StudioError('model-invalid', `${file}: only byte-pair models are supported`);
  }
  if (rule !== null) {
    throw new StudioError(
      'model-invalid',
      `${file}: the normalisation rule "${rule}" is not supported, only "identity"`,
    );
  }
  if (removesExtraSpaces) {
    throw new StudioError(
      'model-invalid',
      `${file}: it drops repeated spaces, which is not supported`,
    );
  }
  return {
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
      merges: mergesOf(pieces),
      byte_fallback: true,
      fuse_unk: true,
      unk_token: unknown.text,
    },
    controls: pieces.flatMap(({ text, type }, id) =>
      type === pieceType.unknown || type === pieceType.control ? [{ content: text, id }] : [],
    ),
  };
}

function readFields(bytes: Uint8Array) {
  const pieces: Piece[] = [];
  let modelType = 1;
  const normaliser: { rule: string | null } = { rule: null };
  let removesExtraSpaces = true;
  eachField(bytes, (field, reader) => {
    if (field === 1) pieces.push(readPiece(reader.bytes()));
    else if (field === 2) modelType = readVarint(reader.bytes(), 3) ?? modelType;
    else if (field === 3) {
      const spec = reader.bytes();
      normaliser.rule = normalisationRule(spec);
      removesExtraSpaces = readVarint(spec, 4) !== 0;
    } else return false;
    return true;
  });
  return { pieces, modelType, rule: normaliser.rule, removesExtraSpaces };
}

/** Calls `read` for each field; what it does not read is skipped. */
function eachField(
  bytes: Uint8Array,
  read: (field: number, reader: BinaryReader, wireType: WireType) => boolean,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!read(field, reader, wireType)) reader.skip(wireType, field);
  }
}

function readPiece(bytes: Uint8Array): Piece {
  const piece: { text: string; score: number; type: number } = {
    text: '',
    score: 0,
    type: pieceType.normal,
  };
  eachField(bytes, (field, reader) => {
    if (field === 1) piece.text = reader.string();
    else if (field === 2) piece.score = reader.float();
    else if (field === 3) piece.type = reader.int32();
    else return false;
    return true;
  });
  return piece;
}

function readVarint(bytes: Uint8Array, wanted: number): number | null {
  let found: number | null = null;
  eachField(bytes, (field, reader, wireType) => {
    if (field !== wanted || wireType !== WireType.Varint) return false;
    found = reader.int32();
    return true;
  });
  return found;
}

/** The name of a rule that changes text; null where there is none. */
function normalisationRule(bytes: Uint8Array): string | null {
  let name = '';
  let size = 0;
  eachField(bytes, (field, reader) => {
    if (field === 1) name = reader.string();
    else if (field === 2) size = reader.bytes().length;
    else return false;
    return true;
  });
  return size === 0 ? null : name;
}

/** SentencePiece joins the two neighbours whose whole has the best score; as merges, best first. */
function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const usable = new Map(
    pieces
      .filter(({ type }) => type === pieceType.normal || type === pieceType.userDefined)
      .map(({ text, score }) => [text, score]),
  );
  const merges = [...usable].flatMap(([text, score]) =>
    splits(text)
      .filter(([left, right]) => usable.has(left) && usable.has(right))
      .map((pair) => ({ pair, score })),
  );
  return merges.sort((left, right) => right.score - left.score).map(({ pair }) => pair);
}

function splits(text: string): [string, string][] {
  const characters = [...text];
  return characters
    .slice(1)
    .map((_, index) => [
      characters.slice(0, index + 1).join(''),
      characters.slice(index + 1).join(''),
    ]);
}
