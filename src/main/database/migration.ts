/** One step of the database's form. `version` is what `user_version` becomes; steps are numbered from 1 without gaps. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}
