/** A recipe's folder: what it is made with, its pictures as the trainer left them, which of them make each conversation. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { readJsonLines } from '../../base/json-lines.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { recipePlanSchema, recipeTroubleSchema } from '../../shared/domain/recipe.ts';

export const recipeRecordSchema = z.object({
  id: z.uuid(),
  createdAt: z.number(),
  plan: recipePlanSchema,
  confirmed: z.string().nullable(),
  skipped: z.number().int().nonnegative(),
  trouble: recipeTroubleSchema.nullable(),
});
export type RecipeRecord = z.infer<typeof recipeRecordSchema>;

const pictureSchema = z.object({
  number: z.number().int().nonnegative(),
  caption: z.string(),
  likeness: z.number().nullable(),
});
export type RecipePicture = z.infer<typeof pictureSchema>;

const clustersSchema = z.object({ of: z.array(z.number().int().nonnegative()) });
const groupsSchema = z.array(z.array(z.number().int().nonnegative()));
const recordName = 'recipe.json';

export class RecipeFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get journal(): string {
    return path.join(this.folder, 'journal.jsonl');
  }

  has(): boolean {
    return existsSync(path.join(this.folder, recordName));
  }

  /** @throws StudioError `bad-input` where it is no recipe's */
  readRecord(): RecipeRecord {
    return readJsonFile(path.join(this.folder, recordName), recipeRecordSchema, 'bad-input');
  }

  writeRecord(record: RecipeRecord): void {
    mkdirSync(this.folder, { recursive: true });
    writeJsonFileSync(path.join(this.folder, recordName), record);
  }

  pictures(): RecipePicture[] {
    return readJsonLines(path.join(this.folder, 'pictures.jsonl'), pictureSchema);
  }

  pictureFile(number: number): string {
    return path.join(this.folder, 'pictures', `${number}.jpg`);
  }

  /** As a `data:` address. */
  pictureAddress(number: number): string {
    return `data:image/jpeg;base64,${readFileSync(this.pictureFile(number)).toString('base64')}`;
  }

  /** The cluster of each picture; null where there are none yet. */
  clusters(): number[] | null {
    const file = path.join(this.folder, 'clusters.json');
    return existsSync(file) ? readJsonFile(file, clustersSchema, 'bad-input').of : null;
  }

  /** Pictures of each conversation, as far as that was settled. */
  groups(): number[][] {
    const file = path.join(this.folder, 'groups.json');
    return existsSync(file) ? readJsonFile(file, groupsSchema, 'bad-input') : [];
  }

  writeGroups(groups: readonly (readonly number[])[]): void {
    writeJsonFileSync(path.join(this.folder, 'groups.json'), groups);
  }
}
