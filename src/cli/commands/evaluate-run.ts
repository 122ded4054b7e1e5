import path from 'node:path';
import { evaluatedEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { askModule } from '../trainer-answer.ts';
import { numberOption, type Output } from '../usage.ts';

export interface EvaluateRunOptions {
  readonly config: string;
  readonly checkpoint: string | undefined;
  readonly mme: string | undefined;
  readonly mmbench: string | undefined;
  readonly limit: string | undefined;
}

/** What the model of a training run can do; the report is kept with the run. */
export async function evaluateRun(options: EvaluateRunOptions, output: Output): Promise<void> {
  const { config, checkpoint, mme, mmbench } = options;
  const limit = numberOption(options.limit, 'limit', { min: 1, max: 1e6 });
  const places = { config, checkpoint, mme, mmbench };
  const call = Object.entries(places).flatMap(([name, place]) =>
    place === undefined ? [] : [`--${name}`, path.resolve(place)],
  );
  const most = limit === undefined ? [] : ['--limit', String(limit)];
  const { answer } = await askModule('evaluate', [...call, ...most], evaluatedEventSchema, output);
  const { folder, report } = answer;
  output.result({ folder, ...report }, () => {
    output.line(`step ${report.step} of stage ${report.stage}: ${folder}`);
    if (report.validationLoss !== null) output.line(`validation loss ${report.validationLoss}`);
    if (report.captions !== null) {
      const { captions, exact, rougeL } = report.captions;
      output.line(`${captions} captions: ${exact} % word for word, ROUGE-L ${rougeL}`);
    }
    for (const { name, questions, accuracy, accuracyPlus } of report.mme?.subtasks ?? []) {
      output.line(
        `MME ${name}: ${questions} questions, ${accuracy} %, ${accuracyPlus} % by picture`,
      );
    }
    if (report.mme !== null) {
      output.line(`MME: perception ${report.mme.perception}, cognition ${report.mme.cognition}`);
    }
    for (const { name, questions, accuracy } of report.mmbench?.categories ?? []) {
      output.line(`MMBench ${name}: ${questions} questions, ${accuracy} %`);
    }
    if (report.mmbench !== null) {
      const { questions, accuracy } = report.mmbench;
      const told = accuracy === null ? 'without answers in the file' : `${accuracy} %`;
      output.line(`MMBench: ${questions} questions, ${told}`);
    }
  });
}
