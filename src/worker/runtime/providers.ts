/**
 * Which execution providers work on this machine. Asking ONNX Runtime for a provider whose library
 * or device is missing throws, so each is tried on a tiny model; what failed is kept as data.
 */
import { cudaFacts, ort } from './onnx-runtime.ts';
import { reasonOf } from '../../shared/errors.ts';

/** Where a network runs. */
export type Provider = 'cuda' | 'webgpu' | 'cpu';

/** The result of trying a provider. */
export interface ProviderReport {
  readonly provider: Provider;
  readonly usable: boolean;
  /** Why not, in the runtime's words; empty when usable. */
  readonly reason: string;
}

/** A choice and what led to it. */
export interface ProviderChoice {
  readonly provider: Provider;
  /** What was tried before, best first, and why it was passed over. */
  readonly rejected: readonly ProviderReport[];
}

// A provider that cannot be loaded is news for the report, not for the terminal.
ort.env.logLevel = 'fatal';

/** Set where Vulkan is a software driver, as in our tests: right, but slower than the CPU. */
const softwareVulkan = 'TEXTBIND_SOFTWARE_VULKAN';

/** Best first. */
const preference: readonly Provider[] = ['cuda', 'webgpu', 'cpu'];

/**
 * y = x + x over float32 [1]: an ONNX model of 104 bytes, written out so that this folder needs
 * nothing from graph/. Its bytes are checked by the test that builds the same model there.
 */
export const probeModel = Uint8Array.from([
  8, 10, 18, 15, 116, 101, 120, 116, 98, 105, 110, 100, 45, 115, 116, 117, 100, 105, 111, 58, 60,
  10, 21, 10, 1, 120, 10, 1, 120, 18, 1, 121, 26, 5, 121, 58, 65, 100, 100, 34, 3, 65, 100, 100, 18,
  1, 103, 90, 15, 10, 1, 120, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 98, 15, 10, 1, 121, 18, 10,
  10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 66, 2, 16, 21, 66, 17, 10, 13, 99, 111, 109, 46, 109, 105, 99,
  114, 111, 115, 111, 102, 116, 16, 1,
]);

const reports = new Map<Provider, Promise<ProviderReport>>();
let probe: (provider: Provider) => Promise<ProviderReport> = tryProvider;

/** Has providers tried by `other` from now on, e.g. in a process of their own. */
export function useProviderProbe(other: typeof probe): void {
  probe = other;
}

/** Tries one provider here and now. */
export async function tryProvider(provider: Provider): Promise<ProviderReport> {
  try {
    const session = await ort.InferenceSession.create(probeModel, {
      executionProviders: [provider],
      logSeverityLevel: 4,
    });
    const { y } = await session.run({ x: new ort.Tensor('float32', [1], [1]) });
    await session.release();
    const sum = y?.data instanceof Float32Array ? y.data[0] : undefined;
    if (sum !== 2) return { provider, usable: false, reason: `1 + 1 gave ${String(sum)}` };
    return { provider, usable: true, reason: '' };
  } catch (error) {
    const reason = reasonOf(error);
    return { provider, usable: false, reason: provider === 'cuda' ? whyNoCuda(reason) : reason };
  }
}

/** The runtime says that a library is missing, and not which. */
function whyNoCuda(reason: string): string {
  const { folder, missing, fault, ...facts } = cudaFacts();
  if (facts.package === null) return reason;
  if (folder === null) return `${reason} (the CUDA provider was not fetched)`;
  if (fault !== null) return `${reason} (${fault})`;
  return missing.length === 0 ? reason : `${reason} (not found: ${missing.join(', ')})`;
}

/** Tries one provider; the answer is kept for the life of the process. */
export function probeProvider(provider: Provider): Promise<ProviderReport> {
  const known = reports.get(provider) ?? probe(provider);
  reports.set(provider, known);
  return known;
}

/** Tries all providers, best first. */
export function probeProviders(): Promise<readonly ProviderReport[]> {
  return Promise.all(preference.map(probeProvider));
}

/**
 * The best provider that works.
 *
 * @param wanted tried in this order before the CPU, which always works; default: all, best first, but
 * for WebGPU where it is known to run on a software driver.
 */
export async function chooseProvider(wanted?: readonly Provider[]): Promise<ProviderChoice> {
  const rejected: ProviderReport[] = [];
  for (const provider of wanted ?? preference) {
    if (provider === 'cpu') break;
    if (provider === 'webgpu' && !wanted && process.env[softwareVulkan]) {
      rejected.push({ provider, usable: false, reason: 'its driver here is software' });
      continue;
    }
    const report = await probeProvider(provider);
    if (report.usable) return { provider, rejected };
    rejected.push(report);
  }
  return { provider: 'cpu', rejected };
}
