import { bench } from './zh/bench.ts';
import { chat } from './zh/chat.ts';
import { common } from './zh/common.ts';
import { composer } from './zh/composer.ts';
import { cuda } from './zh/cuda.ts';
import { desktop } from './zh/desktop.ts';
import { doctor } from './zh/doctor.ts';
import { engine } from './zh/engine.ts';
import { exchange } from './zh/exchange.ts';
import { gallery } from './zh/gallery.ts';
import { lightbox } from './zh/lightbox.ts';
import { list } from './zh/list.ts';
import { models } from './zh/models.ts';
import { recipe } from './zh/recipe.ts';
import { settings } from './zh/settings.ts';
import { shell } from './zh/shell.ts';
import { training } from './zh/training.ts';
import { trash } from './zh/trash.ts';
import type { Texts } from './en.ts';

/** The texts in Simplified Chinese. */
export const zh: Texts = {
  bench,
  chat,
  common,
  composer,
  cuda,
  desktop,
  doctor,
  engine,
  exchange,
  gallery,
  lightbox,
  list,
  models,
  recipe,
  settings,
  shell,
  training,
  trash,
};
