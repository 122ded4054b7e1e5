// What would fit where a model does not: the figures are those of the model that one then gets.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelFolder, type ModelFolder } from '../../src/library/model-folder.ts';
import { wouldFitWords } from '../../src/library/fit/would-fit-words.ts';
import { catalogueSchema } from '../../src/shared/domain/catalogue.ts';
import { importModel } from '../../src/worker/conversion/import-model.ts';
import { modelNeeds, type ModelNeeds } from '../../src/worker/pipelines/memory/plan.ts';
import { whatWouldFit } from '../../src/worker/would-fit.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { drawing, talking } from './published-needs.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

describe.skipIf(noPython !== undefined)(`what would fit ${noPython ?? ''}`, () => {
  const folder = temporaryFolderForAll();
  let tiny: ReturnType<typeof makeTinyModel>;
  let model: ModelFolder;
  let needs: ModelNeeds;
  beforeAll(async () => {
    const sdxl = runPython('sdxl.py');
    const imageDecoder = { base: path.join(sdxl, 'base'), refiner: path.join(sdxl, 'refiner') };
    tiny = makeTinyModel({ imageDecoder });
    model = readModelFolder(tiny.folder);
    needs = await modelNeeds(model, 'cpu');
  }, 600_000);
  afterAll(() => {
    tiny.remove();
  });

  /** A tiny model's drawing would decide everything. */
  const onlyWords = (): [ModelFolder, ModelNeeds] => [
    { ...model, imageDecoder: null },
    { ...needs, drawing: null },
  ];

  it.each([8, 4] as const)(
    '%d bits: with the figures of the model that is then imported',
    async (bits) => {
      const [words, needed] = onlyWords();
      const fewer = await whatWouldFit(words, needed, needed.talking);
      expect(fewer).toMatchObject({ bits: 8, leaveOut: null, drawingBytes: null });
      const room = bits === 8 ? needed.talking : (fewer?.talkingBytes ?? 0);
      const instead = await whatWouldFit(words, needed, room);
      expect(instead?.bits).toBe(bits);
      const { name, licence, qformerConfig, maxPicturesPerReply, maxSequenceLength } =
        model.manifest;
      const report = await importModel({
        sources: {
          ...{ vision: model.visionModel, language: model.languageModel, checkpoint: null },
          ...{ qformer: model.qformer[0] ?? null, processor: null, base: null, refiner: null },
        },
        ...{ storage: bits === 8 ? 'int8' : 'int4', replace: false, guidance: 5 },
        out: path.join(folder, `in-${bits}`),
        manifest: { name, licence, qformerConfig, maxPicturesPerReply, maxSequenceLength },
      });
      const then = await modelNeeds(readModelFolder(report.folder), 'cpu');
      expect(instead?.talkingBytes).toBe(then.talking);
    },
  );

  it('drawing is left out last, and nothing is promised where nothing would fit', async () => {
    const sparing = needs.drawing?.sparing ?? 0;
    expect(sparing).toBeGreaterThan(needs.talking);
    expect(await whatWouldFit(model, needs, sparing)).toMatchObject({
      bits: null,
      leaveOut: 'drawing',
    });
    expect(await whatWouldFit(model, needs, 1000)).toBeNull();
  });

  it('is said with figures and with what to do', () => {
    const memoryBytes = { talking: 40e9 };
    const instead = {
      bits: 4,
      leaveOut: 'refiner',
      talkingBytes: 12e9,
      drawingBytes: 13e9,
    } as const;
    expect(wouldFitWords({ instead, memoryBytes }, [])).toBe(
      'With its language model in 4 bits and without the refiner it would take 12 GB for words and 13 GB for pictures. Add it again, copied in 4 bits and leaving out the refiner.',
    );
    expect(wouldFitWords({ instead: null, memoryBytes }, ['Small'])).toContain('Small would fit');
  });
});

it('the catalogue has the figures of the published networks', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../models/catalogue.json'), 'utf8');
  const { systems } = catalogueSchema.parse(JSON.parse(text));
  const rounded = (bytes: number): number => Math.round(bytes / 1e7) * 1e7;
  const words = { talkingBytes: talking(null), in8Bits: talking(8), in4Bits: talking(4) };
  const sides: Record<string, number | null> = {
    ...{ textbind: 1024, 'textbind-light': 512, 'textbind-reads': null },
  };
  expect(systems.map(({ id }) => id)).toEqual(Object.keys(sides));
  for (const { id, needs, parts } of systems) {
    const side = sides[id] ?? null;
    const drawn = side === null ? null : rounded(drawing(side, parts.refiner !== undefined));
    expect(needs, id).toEqual({
      talkingBytes: rounded(words.talkingBytes),
      in8Bits: rounded(words.in8Bits),
      in4Bits: rounded(words.in4Bits),
      drawingBytes: drawn,
    });
  }
}, 120_000);
