import { z } from 'zod';
import {
  comparedModelSchema,
  comparisonPromptSchema,
  comparisonSchema,
  tallySchema,
  verdictSchema,
} from '../domain/comparison.ts';

/** Two models side by side: what the window may ask main, and what main tells it. */

const nothing = z.null();

export const comparisonRequests = {
  /** The comparison that stands there, and all tallies. */
  'comparison.current': {
    request: nothing,
    reply: z.object({ comparison: comparisonSchema.nullable(), tallies: z.array(tallySchema) }),
  },
  /** Asks two models the same; `comparison.changed` tells how far they are. */
  'comparison.start': {
    request: z.object({
      models: z.tuple([comparedModelSchema, comparedModelSchema]),
      blind: z.boolean(),
      prompt: comparisonPromptSchema,
    }),
    reply: comparisonSchema,
  },
  'comparison.stop': { request: nothing, reply: nothing },
  /** Notes which answer was better; the models are named then. */
  'comparison.judge': {
    request: z.object({ id: z.uuid(), verdict: verdictSchema }),
    reply: z.object({ comparison: comparisonSchema, tallies: z.array(tallySchema) }),
  },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>;

export const comparisonEvents = {
  'comparison.changed': z.object({ comparison: comparisonSchema }),
} as const satisfies Record<string, z.ZodType>;
