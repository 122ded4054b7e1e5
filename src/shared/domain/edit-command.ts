import { z } from 'zod';

/** What an editor's menu does where the focus is. */
export const editCommandSchema = z.enum(['undo', 'redo', 'cut', 'copy', 'paste', 'selectAll']);
export type EditCommand = z.infer<typeof editCommandSchema>;
