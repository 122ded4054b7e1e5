/** What can go wrong with a download, told apart by what helps. */
export const downloadFaultKinds = [
  /** No connection, a broken one, a silent one, a busy server: trying again helps. */
  'network',
  /** 401 or 403: the hub wants to know who asks, or that its terms were accepted. */
  'refused',
  /** 404, 410. */
  'gone',
  /** The file is not the one that the listing told of. Asking for the listing again helps. */
  'changed',
  /** What came, twice the same, is not what the hub says it is. */
  'wrong',
  /** The disk is full, or nearly. */
  'full',
  /** The disk refuses for another reason. */
  'disk',
] as const;
export type DownloadFaultKind = (typeof downloadFaultKinds)[number];

/** Ends a download of a file; what has come stays, and is gone on with. `message` is a sentence for a person. */
export class DownloadFault extends Error {
  readonly kind: DownloadFaultKind;
  /** How long the server asks to be left alone. Milliseconds. */
  readonly waitMs: number | null;
  /** What one that refused wants. */
  readonly wants: 'token' | 'terms' | null;

  constructor(
    kind: DownloadFaultKind,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly waitMs?: number | null;
      readonly wants?: 'token' | 'terms';
    } = {},
  ) {
    super(message, options);
    this.name = 'DownloadFault';
    this.kind = kind;
    this.waitMs = options.waitMs ?? null;
    this.wants = options.wants ?? null;
  }
}
