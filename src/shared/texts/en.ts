import { bench } from './en/bench.ts';
import { chat } from './en/chat.ts';
import { common } from './en/common.ts';
import { composer } from './en/composer.ts';
import { cuda } from './en/cuda.ts';
import { desktop } from './en/desktop.ts';
import { doctor } from './en/doctor.ts';
import { engine } from './en/engine.ts';
import { exchange } from './en/exchange.ts';
import { gallery } from './en/gallery.ts';
import { lightbox } from './en/lightbox.ts';
import { list } from './en/list.ts';
import { models } from './en/models.ts';
import { recipe } from './en/recipe.ts';
import { settings } from './en/settings.ts';
import { shell } from './en/shell.ts';
import { training } from './en/training.ts';
import { trash } from './en/trash.ts';

/** The texts in English: the catalogue that the others are held to. */
export const en = {
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

/** Every text of the window and of main, by room. A key that a language lacks, or whose values differ, does not compile. */
export type Texts = typeof en;
