// ONNX Runtime's telemetry: what a process leaves in its home and temporary folders. Whether it also opens
// connections is seen by test/e2e/quiet.e2e.ts, in a network of its own.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { quietEnvironment } from '../../../src/shared/quiet-environment.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const runtime = path.join(root, 'src/worker/runtime/providers.ts');

/** By these it sees that it runs in a build service, where it is quiet by itself and would prove nothing. */
const buildServices = [
  'CI',
  'TF_BUILD',
  'GITHUB_ACTIONS',
  'GITLAB_CI',
  'CIRCLECI',
  'TRAVIS',
].concat(
  ['JENKINS_URL', 'CODEBUILD_BUILD_ID', 'BUILDKITE', 'TEAMCITY_VERSION', 'APPVEYOR'],
  ['BITBUCKET_BUILD_NUMBER'],
);

/** Runs a module in a fresh home and gives the files that it left there. */
async function filesLeftBy(script: string): Promise<string[]> {
  const home = temporaryFolder();
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, TMPDIR: home };
  for (const name of [...Object.keys(quietEnvironment), ...buildServices]) delete env[name];
  for (const name of Object.keys(env)) if (name.startsWith('XDG_')) delete env[name];
  await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
    { cwd: root, env },
  );
  return readdirSync(home, { recursive: true, encoding: 'utf8' });
}

describe.runIf(process.platform === 'linux')('ONNX Runtime’s telemetry', () => {
  test('leaves nothing behind a session of ours, whoever forgot the environment', async () => {
    const script = `
      const { probeProvider } = await import(${JSON.stringify(runtime)});
      const { usable } = await probeProvider('cpu');
      if (!usable) throw new Error('no session was made');`;
    expect(await filesLeftBy(script)).toEqual([]);
  });

  test('would be seen here: loaded past us, it leaves its device id', async () => {
    const script = `
      const { default: ort } = await import('onnxruntime-node');
      const { probeModel } = await import(${JSON.stringify(runtime)});
      delete process.env.ORT_DISABLE_TELEMETRY;
      await ort.InferenceSession.create(probeModel);
      // It starts its queue on a thread of its own.
      await new Promise((resolve) => setTimeout(resolve, 500));`;
    expect((await filesLeftBy(script)).join('\n')).toContain('onnxruntime/deviceid');
  });
});

test('every script of ours starts its children with it off', () => {
  const steps = readFileSync(path.join(root, 'scripts/setup/steps.mjs'), 'utf8');
  for (const [name, value] of Object.entries(quietEnvironment))
    expect(steps).toContain(`process.env['${name}'] = '${value}';`);
});
