import { imageTag } from './textbind-conversation.ts';

/** Strings that the prompt gives a meaning to: as words they would forge a turn or a picture, and training refuses them. */
export const markupTags = [
  imageTag,
  '<start>',
  '<end>',
  '[INST]',
  '[/INST]',
  '<<SYS>>',
  '<</SYS>>',
  '<s>',
  '</s>',
] as const;
