import { z } from 'zod';

// Schemas compile themselves with `new Function` where they may. The content security policy forbids it, and even the
// probe for it would be reported. Each schema decides when it is made, so this module is imported before all others.
z.config({ jitless: true });
