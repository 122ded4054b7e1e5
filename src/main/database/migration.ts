/** One step of the database's form. `version` is what `user_version` becomes; numbers rise, some may be left out. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The form that all steps together lead to; 0 where there are none. */
export function newestForm(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0;
}
