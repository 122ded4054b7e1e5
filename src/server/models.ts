import type { ServedModel } from './engine.ts';
import { findModel, sendJson, type Desk, type Exchange } from './route.ts';

/** `GET /v1/models`: the one that is open. */
export async function listModels(desk: Desk, { response, signal }: Exchange): Promise<void> {
  const model = await findModel(desk, null, signal);
  sendJson(response, 200, { object: 'list', data: [modelOf(model)] });
}

/** `GET /v1/models/<id>` */
export async function showModel(desk: Desk, { response, signal, rest }: Exchange): Promise<void> {
  sendJson(response, 200, modelOf(await findModel(desk, rest, signal)));
}

function modelOf({ id, name, drawing, maxSequenceLength, openedAt }: ServedModel) {
  return {
    id,
    object: 'model',
    created: Math.floor(openedAt / 1000),
    owned_by: 'textbind-studio',
    textbind: { name, drawing, maxSequenceLength },
  };
}
