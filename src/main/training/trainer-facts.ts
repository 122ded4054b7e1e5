import { execFile } from 'node:child_process';
import { z } from 'zod';
import { parseJson } from '../../base/json-file.ts';
import type { TrainerFacts } from '../../shared/domain/doctor.ts';

/** What training stands on. */
const packages = ['torch', 'transformers', 'safetensors', 'numpy', 'pillow'] as const;

const script = `
import importlib.metadata as m, json, platform, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
print(json.dumps({"version": platform.python_version(), "packages": {n: version(n) for n in sys.argv[1:]}}))
`;
const answerSchema = z.object({
  version: z.string(),
  packages: z.record(z.string(), z.string().nullable()),
});

/** Asks a Python what of the trainer's packages it has; nothing is imported, so it takes no time. */
export function readTrainerFacts(python: string | null): Promise<TrainerFacts> {
  const unknown = { python, version: null, packages: [] };
  if (python === null) {
    return Promise.resolve({ ...unknown, state: 'missing', message: null });
  }
  return new Promise((resolve) => {
    const args = ['-c', script, ...packages];
    execFile(python, args, { timeout: 20_000, windowsHide: true }, (error, said) => {
      if (error !== null) {
        return resolve({ ...unknown, state: 'broken', message: 'Its Python does not start.' });
      }
      resolve(factsOf(python, answerSchema.parse(parseJson(said, 'Python', 'internal'))));
    });
  });
}

function factsOf(
  python: string,
  { version, packages: found }: z.infer<typeof answerSchema>,
): TrainerFacts {
  const versions = Object.entries(found).map(([name, each]) => ({
    name,
    version: each,
    fault: each === null ? 'is missing' : null,
  }));
  const missing = versions.filter(({ fault, name }) => fault !== null && name === 'torch');
  return {
    state: missing.length === 0 ? 'ready' : 'broken',
    python,
    version,
    packages: versions,
    message: missing.length === 0 ? null : 'Its Python has no PyTorch.',
  };
}
