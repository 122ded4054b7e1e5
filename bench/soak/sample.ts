/** One look at the app. Bytes as they are, times in milliseconds. */
export interface Sample {
  readonly seconds: number;
  readonly turns: number;
  readonly load: number;
  readonly main: number;
  readonly page: number;
  readonly engine: number;
  /** The process that decodes pictures while there is one, and the one that looks through copies. */
  readonly helpers: number;
  readonly others: number;
  readonly openFiles: number;
  readonly database: number;
  /** Time between two frames of the window since the last look: the 99th percentile and the longest. */
  readonly frame99: number;
  readonly frameMost: number;
}
