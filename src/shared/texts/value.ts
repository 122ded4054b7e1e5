/** What a text may have put into it: words as they are, numbers as they are written. */
export type Value = string | number;
