import { describe, expect, test } from 'vitest';
import {
  cudaVersionOf,
  lackOf,
  providerWords,
  whyNotProvider,
} from '../../../src/renderer/state/provider-words.ts';

/** As ONNX Runtime says it on a machine without a GPU. */
const noAdapter =
  '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters.';
const noCuda =
  'Failed to load library libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory';
const fallbacks = [
  { provider: 'cuda' as const, reason: noCuda },
  { provider: 'webgpu' as const, reason: noAdapter },
];

describe('what the engine runs on, in words', () => {
  test('an ordinary computer is told in one calm sentence, without a line of code', () => {
    const words = providerWords({ provider: 'cpu', fallbacks }, []);
    expect(words).toMatchObject({
      says: 'No GPU found; using the processor.',
      mend: null,
      tone: 'calm',
    });
    expect(`${words.says}${words.mend}`).not.toMatch(/::|lambda|\.cc|\.so/);
    expect(words.details).toHaveLength(2);
  });

  test('a graphics card that is not used is loud, and says what to do', () => {
    const words = providerWords({ provider: 'cpu', fallbacks }, ['An NVIDIA graphics card']);
    expect(words.tone).toBe('loud');
    expect(words.says).toContain('NVIDIA');
    expect(words.mend).toContain('cuDNN 9');
    expect(`${words.says}${words.mend}`).not.toMatch(/::|lambda|\.cc|\.so/);
    const other = providerWords({ provider: 'cpu', fallbacks }, ['An AMD graphics card']);
    expect(other).toMatchObject({
      tone: 'loud',
      mend: expect.stringContaining('driver') as string,
    });
  });

  test('what works is said and nothing else', () => {
    expect(providerWords({ provider: 'cuda', fallbacks: [] }, ['An NVIDIA graphics card'])).toEqual(
      {
        says: 'Runs on CUDA.',
        mend: null,
        tone: 'calm',
        details: [],
      },
    );
    const webgpu = providerWords({ provider: 'webgpu', fallbacks: fallbacks.slice(0, 1) }, [
      'An Intel graphics processor',
    ]);
    expect(webgpu).toMatchObject({ says: 'Runs on WebGPU.', tone: 'calm' });
  });

  test('reasons are told apart', () => {
    expect(lackOf(noAdapter)).toBe('no-device');
    expect(lackOf(noCuda)).toBe('libraries');
    expect(lackOf('Failed to load shared library (the CUDA provider was not fetched)')).toBe(
      'not-fetched',
    );
    expect(lackOf('Failed to load shared library (not found: libcublas.so.12)')).toBe('libraries');
    expect(lackOf('Failed (not found: libcublas.so.12, libcuda.so.1)')).toBe('no-device');
    expect(cudaVersionOf('libcurand.so.10, libcudart.so.13')).toBe('CUDA 13');
    expect(cudaVersionOf('libcudnn.so.9')).toBe('CUDA');
    expect(lackOf('CUDA failure 100: no CUDA-capable device is detected')).toBe('no-device');
    expect(lackOf('no available backend found. ERR: [cuda] backend not found.')).toBe('build');
    expect(lackOf('its driver here is software')).toBe('software');
  });

  test('a provider that was tried and failed cannot be chosen, one that nobody tried can', () => {
    expect(whyNotProvider('cuda', { provider: 'cpu', fallbacks })).not.toBeNull();
    expect(whyNotProvider('cuda', { provider: 'cpu', fallbacks: [] })).toBeNull();
    expect(whyNotProvider('webgpu', null)).toBeNull();
  });
});
