import { z } from 'zod';

/** A package that is in the app. `licence`: its SPDX expression; `text`: the words of its licence files, or nothing. */
export const licenceSchema = z.object({
  name: z.string(),
  version: z.string(),
  licence: z.string(),
  text: z.string(),
});
export type Licence = z.infer<typeof licenceSchema>;
