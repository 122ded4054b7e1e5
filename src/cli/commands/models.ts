import { estimates, openFitBook } from '../fit.ts';
import { listModels } from '../../library/models.ts';
import { command } from '../options.ts';
import { modelsFolders } from '../model-option.ts';

export const modelsCommand = command({
  usage: 'textbind models [--json]',
  async run({ output }) {
    const folders = modelsFolders();
    const fits = output.json ? await estimates(openFitBook()) : [];
    const models = (await listModels(folders)).map((model) => ({
      ...model,
      fit: fits.find(({ folder }) => folder === model.folder) ?? null,
    }));
    output.result({ models }, () => {
      if (models.length === 0) {
        output.line(`no models in ${folders.map(({ folder }) => folder).join(' or ')}`);
      }
      for (const { name, folder, bytesOnDisk, canDraw, fault } of models) {
        const megabytes = `${Math.round(bytesOnDisk / 1e6)} MB`;
        const state = fault ?? (canDraw ? 'reads and draws' : 'reads, cannot draw');
        output.line(`${name}  ${megabytes}  ${state}\n  ${folder}`);
      }
    });
  },
});
