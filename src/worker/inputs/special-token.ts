/** A special token among the `added_tokens` of a tokenizer.json: found as it is written, wherever it stands. */
export function specialToken(content: string, id: number | undefined) {
  return {
    ...{ id, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  };
}
