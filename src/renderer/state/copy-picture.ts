import { StudioError } from '../../shared/errors.ts';
import { t } from '../texts.svelte.ts';

/**
 * Puts the pixels of a picture on the clipboard, as PNG, which every program takes. They are decoded here, in the
 * sandbox, and not by the process that owns the files.
 * @throws {StudioError} `unsupported` with a sentence
 */
export async function copyPicture(url: string): Promise<void> {
  try {
    const image = new Image();
    // Without it the canvas would not give its pixels away again.
    image.crossOrigin = 'anonymous';
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext('2d')?.drawImage(image, 0, 0);
    const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (png === null) throw new Error('the picture has no pixels');
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
  } catch (error) {
    throw new StudioError('unsupported', t.shell.pictureCouldNotBeCopied, {
      cause: error,
    });
  }
}
