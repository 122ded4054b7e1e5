import type { AppServices } from '../services.ts';
import { appHandlers } from './app.ts';
import { benchHandlers } from './bench.ts';
import { chatHandlers } from './chat.ts';
import { comparisonHandlers } from './comparison.ts';
import { conversationHandlers } from './conversations.ts';
import { draftHandlers } from './drafts.ts';
import { engineHandlers } from './engine.ts';
import { exchangeHandlers } from './exchange.ts';
import { machineHandlers } from './machine.ts';
import type { AppHandlers } from './handlers.ts';
import { galleryHandlers } from './gallery.ts';
import { downloadHandlers, modelHandlers } from './models.ts';
import { pictureHandlers } from './pictures.ts';
import { updateHandlers } from './updates.ts';
import { recipeHandlers } from './recipes.ts';
import { datasetHandlers, runHandlers, trainerHandlers } from './training.ts';
import { trashHandlers, versionHandlers } from './versions.ts';

/** The handler of every request. */
export function createHandlers(services: AppServices): AppHandlers {
  return {
    ...appHandlers(services),
    ...conversationHandlers(services),
    ...draftHandlers(services),
    ...exchangeHandlers(services),
    ...pictureHandlers(services),
    ...galleryHandlers(services),
    ...chatHandlers(services),
    ...benchHandlers(services),
    ...versionHandlers(services),
    ...trashHandlers(services),
    ...engineHandlers(services),
    ...machineHandlers(services),
    ...updateHandlers(services),
    ...trainerHandlers(services),
    ...datasetHandlers(services),
    ...runHandlers(services),
    ...comparisonHandlers(services),
    ...recipeHandlers(services),
    ...modelHandlers(services),
    ...downloadHandlers(services),
  };
}
