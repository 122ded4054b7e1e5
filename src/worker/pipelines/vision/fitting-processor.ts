import { StudioError } from '../../../shared/errors.ts';
import { openImageProcessor, type ImageProcessor } from '../../inputs/image.ts';
import type { VitConfig } from '../../networks/index.ts';

/**
 * Opens a processor's folder.
 * @param configFile what errors call the vision model's configuration
 * @throws StudioError `model-invalid` where pictures get another size than the vision model takes
 */
export function openFittingProcessor(
  folder: string,
  { imageSize }: Pick<VitConfig, 'imageSize'>,
  configFile: string,
): ImageProcessor {
  const processor = openImageProcessor(folder);
  const { width, height } = processor;
  if (width === imageSize && height === imageSize) return processor;
  throw new StudioError(
    'model-invalid',
    `${folder}: pictures become ${width} x ${height}, but ${configFile} has image_size ${imageSize}`,
  );
}
