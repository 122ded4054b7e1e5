import { z } from 'zod';

/** A package that has CUDA's provider for the engine. */
export const cudaPackageSchema = z.object({
  name: z.string().min(1),
  /** The engine's own: no other can be loaded with it. */
  version: z.string().min(1),
  /** Index of the feed that has it. */
  feed: z.url({ protocol: /^https?$/ }),
  /** Files within the package that are wanted. */
  entries: z.array(z.string().min(1)).min(1),
});
export type CudaPackage = z.infer<typeof cudaPackageSchema>;

/** What a process that loads the engine says of CUDA. */
export const cudaFactsSchema = z.object({
  /** Null where there is none for this system. */
  package: cudaPackageSchema.nullable(),
  /** Folder of the provider; null where it was not fetched. */
  folder: z.string().nullable(),
  /** Libraries of NVIDIA's that it needs and that the system has nowhere. */
  missing: z.array(z.string()),
  /** What else keeps it from being loaded. */
  fault: z.string().nullable(),
});
export type CudaFacts = z.infer<typeof cudaFactsSchema>;

/** CUDA as the window shows it. */
export const cudaStatusSchema = cudaFactsSchema.extend({
  /** Name of the NVIDIA card; null where there is none, and nothing is offered. */
  card: z.string().nullable(),
});
export type CudaStatus = z.infer<typeof cudaStatusSchema>;
