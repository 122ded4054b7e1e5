/** One look at the app. Bytes as they are, times in milliseconds. */
export interface Sample {
  readonly seconds: number;
  readonly turns: number;
  readonly load: number;
  readonly main: number;
  readonly page: number;
  /** The engine, and the process that decodes pictures while there is one. */
  readonly node: number;
  readonly others: number;
  readonly openFiles: number;
  readonly database: number;
  /** Time between two frames of the window since the last look: the 99th percentile and the longest. */
  readonly frame99: number;
  readonly frameMost: number;
}
