// The bill of materials names what ships, whole and with what it is licensed under.
import { describe, expect, it } from 'vitest';
import {
  billOfMaterials,
  collectMaterials,
  withDependencies,
} from '../../scripts/build/materials.mjs';
import { externalPackages } from '../../scripts/build/targets.mjs';

describe('the bill of materials', () => {
  it('follows dependencies, and takes what only an installation needs for none', () => {
    const names = withDependencies(['sharp', 'onnxruntime-node']);
    expect(names).toEqual(expect.arrayContaining(['sharp', 'onnxruntime-common', 'semver']));
    expect(names).not.toContain('adm-zip');
  });

  it('has the decoder of pictures as WebAssembly alone, with what lies in its folder', () => {
    const names = withDependencies(externalPackages);
    expect(names.filter((name) => name.startsWith('@img/sharp'))).toEqual([
      '@img/sharp-wasm32',
      '@img/sharp-wasm32/node_modules/@emnapi/runtime',
    ]);
    const shipped = collectMaterials(externalPackages);
    expect(shipped.map(({ name }) => name)).toContain('@emnapi/runtime');
    const wasm = shipped.find(({ name }) => name === '@img/sharp-wasm32');
    expect(wasm?.licence).toContain('LGPL-3.0-or-later');
    expect(wasm?.text).toContain('Apache License');
  });

  it('is CycloneDX, with hashes of the lock file', () => {
    const text = '';
    const bill = billOfMaterials({
      materials: [
        { name: 'sharp', version: '0.35.5', licence: 'Apache-2.0', text },
        { name: '@bufbuild/protobuf', version: '2.17.0', licence: '(A AND B)', text },
        { name: 'odd', version: '1.0.0', licence: 'see its text', text },
      ],
      version: '1.2.3',
      electron: '45.4.1',
      madeAt: '2026-11-24T00:00:00.000Z',
    });
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    const [runtime, sharp, protobuf, odd] = bill.components;
    expect(runtime).toMatchObject({ name: 'electron', version: '45.4.1' });
    expect(sharp).toMatchObject({
      purl: 'pkg:npm/sharp@0.35.5',
      licenses: [{ license: { id: 'Apache-2.0' } }],
      hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) as string }],
    });
    expect(protobuf).toMatchObject({
      purl: 'pkg:npm/%40bufbuild/protobuf@2.17.0',
      licenses: [{ expression: '(A AND B)' }],
    });
    expect(odd?.licenses).toEqual([{ license: { name: 'see its text' } }]);
    const references = new Set(bill.components.map((each) => each['bom-ref']));
    expect(new Set(bill.dependencies[0]?.dependsOn)).toEqual(references);
  });
});
