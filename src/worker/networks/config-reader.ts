/** Reads fields of a Hugging Face config.json: checked, with defaults, and with errors that name field and value. */
import { StudioError } from '../../shared/errors.ts';
import { isNonEmpty, type NonEmpty } from './non-empty.ts';

/** A config.json's object and what to call it in an error. */
export interface ConfigReader {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly source: string;
}

/**
 * Takes parsed JSON for reading.
 *
 * @param source what errors call it, e.g. the file's path.
 * @throws StudioError `model-invalid` if it is not an object.
 */
export function configReader(json: unknown, source: string): ConfigReader {
  if (!isRecord(json)) {
    throw new StudioError('model-invalid', `${source}: expected an object, found ${show(json)}`);
  }
  return { fields: json, source };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** The error for a field whose value cannot be. */
export function invalidField(
  reader: ConfigReader,
  field: string,
  expected: string,
  value: unknown = reader.fields[field],
): StudioError {
  const message = `${reader.source}: "${field}" must be ${expected}, found ${show(value)}`;
  return new StudioError('model-invalid', message);
}

/** The error for a value that is legal in the reference but that we do not build. */
export function unsupportedField(
  reader: ConfigReader,
  field: string,
  supported: string,
  value: unknown = reader.fields[field],
): StudioError {
  const message = `${reader.source}: "${field}" is ${show(value)}, which is not supported (supported: ${supported})`;
  return new StudioError('unsupported', message);
}

/** Whether a field is there and not null. */
export function isGiven(reader: ConfigReader, field: string): boolean {
  return valueOf(reader, field, undefined) !== undefined;
}

/** A field, with null and absence replaced by `fallback`. */
function valueOf(reader: ConfigReader, field: string, fallback: unknown): unknown {
  return reader.fields[field] ?? fallback;
}

function isPositiveInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

/**
 * The most of what is built one after another: far beyond every published network, and still built in seconds. A
 * graph of 100,000 layers would be written for hours before its first missing tensor is seen.
 */
const mostOf: Readonly<Record<string, number>> = {
  num_hidden_layers: 256,
  num_attention_heads: 1024,
  num_key_value_heads: 1024,
  head_dim: 1024,
  layers_per_block: 16,
  transformer_layers_per_block: 64,
  reverse_transformer_layers_per_block: 64,
  hidden_size: 65_536,
  image_size: 4096,
  patch_size: 4096,
};
/** Of everything else: vocabularies, widths, positions. */
const mostOfAll = 2 ** 24;
/** Levels of a UNet or VAE. */
const mostItems = 16;

/** A positive integer of a plausible size. */
export function positiveInteger(reader: ConfigReader, field: string, fallback?: number): number {
  const value = valueOf(reader, field, fallback);
  if (!isPositiveInteger(value)) throw invalidField(reader, field, 'a positive integer', value);
  const most = mostOf[field] ?? mostOfAll;
  if (value > most) throw invalidField(reader, field, `at most ${most}`, value);
  return value;
}

/** A finite number of at least `minimum`. */
export function finiteNumber(
  reader: ConfigReader,
  field: string,
  fallback?: number,
  minimum = -Infinity,
): number {
  const value = valueOf(reader, field, fallback);
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
  const range = minimum === -Infinity ? 'a number' : `a number of at least ${minimum}`;
  throw invalidField(reader, field, range, value);
}

/** True or false. */
export function boolean(reader: ConfigReader, field: string, fallback?: boolean): boolean {
  const value = valueOf(reader, field, fallback);
  if (typeof value !== 'boolean') throw invalidField(reader, field, 'true or false', value);
  return value;
}

/** One of a few words or numbers; any other is legal but unsupported. */
export function oneOf<T extends string | number>(
  reader: ConfigReader,
  field: string,
  supported: readonly T[],
  fallback?: T,
): T {
  const value = valueOf(reader, field, fallback);
  const found = supported.find((word) => word === value);
  if (found === undefined) throw unsupportedField(reader, field, supported.join(', '), value);
  return found;
}

/** A list of words, one a level, of which each must be supported. */
export function listOf<T extends string>(
  reader: ConfigReader,
  field: string,
  supported: readonly T[],
  length: number,
): readonly T[] {
  const value = reader.fields[field];
  if (!Array.isArray(value) || value.length === 0 || value.length > mostItems)
    throw invalidField(reader, field, `a list of at most ${mostItems}`, value);
  if (value.length !== length) throw invalidField(reader, field, `${length} names`);
  return value.map((item: unknown) => {
    const found = supported.find((word) => word === item);
    if (found === undefined) throw unsupportedField(reader, field, supported.join(', '), item);
    return found;
  });
}

/** A list of positive integers; with `length` also one integer that stands for all of them. */
export function positiveIntegers(
  reader: ConfigReader,
  field: string,
  options: { readonly length?: number; readonly fallback?: number } = {},
): NonEmpty<number> {
  const value = valueOf(reader, field, options.fallback);
  const most = mostOf[field] ?? mostOfAll;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.some((each) => typeof each === 'number' && each > most)) {
    throw invalidField(reader, field, `at most ${most}`, value);
  }
  if (isPositiveInteger(value) && options.length !== undefined) {
    return [value, ...new Array<number>(options.length - 1).fill(value)];
  }
  const expected = `${options.length ?? 'a list of'} positive integers`;
  if (!values.every(isPositiveInteger) || !Array.isArray(value) || !isNonEmpty(values)) {
    throw invalidField(reader, field, expected, value);
  }
  if (values.length > mostItems) throw invalidField(reader, field, `at most ${mostItems} of them`);
  if (options.length !== undefined && values.length !== options.length) {
    throw invalidField(reader, field, expected, value);
  }
  return values;
}

/** Attention heads that divide the hidden size evenly. */
export function requireWholeHeads(
  reader: ConfigReader,
  { hiddenSize, headCount }: { readonly hiddenSize: number; readonly headCount: number },
): void {
  if (hiddenSize % headCount === 0) return;
  throw invalidField(reader, 'num_attention_heads', `a divisor of hidden_size ${hiddenSize}`);
}

/** Fields that must have one of a few values; null and absence count as the first. */
export function requireValues(
  reader: ConfigReader,
  table: Readonly<Record<string, readonly unknown[]>>,
): void {
  for (const [field, allowed] of Object.entries(table)) {
    const value = valueOf(reader, field, allowed[0]);
    if (!allowed.includes(value))
      throw unsupportedField(reader, field, allowed.map(show).join(', '));
  }
}

/**
 * Fields that transformers' `PretrainedConfig` writes into any config.json and that do not change the network: names,
 * training, and the defaults of generation, which generation_config.json replaces.
 */
export const harmlessTransformersFields: readonly string[] = [
  ...['model_type', 'architectures', 'auto_map', 'dtype', 'torch_dtype', 'transformers_version'],
  ...['name_or_path', 'tokenizer_class', 'finetuning_task', 'problem_type', 'prefix'],
  ...['id2label', 'label2id', 'num_labels', 'task_specific_params', 'return_dict', 'torchscript'],
  ...['output_hidden_states', 'output_attentions', 'output_scores', 'return_dict_in_generate'],
  ...['use_cache', 'use_return_dict', 'use_bfloat16', 'tf_legacy_loss', 'gradient_checkpointing'],
  ...['initializer_range', 'initializer_factor', 'attention_dropout', 'dropout', 'hidden_dropout'],
  ...['hidden_dropout_prob', 'attention_probs_dropout_prob', 'chunk_size_feed_forward'],
  ...['is_decoder', 'is_encoder_decoder', 'tie_encoder_decoder', 'cross_attention_hidden_size'],
  ...['bos_token_id', 'eos_token_id', 'pad_token_id', 'unk_token_id', 'sep_token_id'],
  ...['decoder_start_token_id', 'forced_bos_token_id', 'forced_eos_token_id', 'bad_words_ids'],
  ...['suppress_tokens', 'begin_suppress_tokens', 'max_length', 'min_length', 'do_sample'],
  ...['early_stopping', 'num_beams', 'num_beam_groups', 'diversity_penalty', 'temperature'],
  ...['top_k', 'top_p', 'typical_p', 'repetition_penalty', 'length_penalty'],
  ...['no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'num_return_sequences'],
  ...['remove_invalid_values', 'exponential_decay_length_penalty', 'transformers.js_config'],
];

/**
 * Refuses a field we have never heard of unless it is switched off: a later library may have put a feature
 * behind it that changes the result.
 */
export function refuseUnknownFields(reader: ConfigReader, known: readonly string[]): void {
  const names = new Set(known);
  for (const [field, value] of Object.entries(reader.fields)) {
    if (names.has(field) || field.startsWith('_')) continue;
    if (isSwitchedOff(value)) continue;
    throw unsupportedField(reader, field, 'this field is not known');
  }
}

/** Null, false, an empty list or an empty object: nothing is asked for. */
function isSwitchedOff(value: unknown): boolean {
  if (value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/**
 * Lets nothing pass that is not understood: fields of `fixed` have one of its values, and besides them, `read` and
 * what transformers writes of training and generation there is none.
 *
 * @throws StudioError `unsupported`, naming field and value.
 */
export function refuseOthers(
  reader: ConfigReader,
  fixed: Parameters<typeof requireValues>[1],
  read: readonly string[],
): void {
  requireValues(reader, fixed);
  refuseUnknownFields(reader, [...Object.keys(fixed), ...read]);
}
