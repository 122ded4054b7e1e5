/** Convolution, resampling and padding of pictures, layout [batch, channels, height, width]. */
import { describe, dimOf, equalDims, numberDim, ofRank, sameType } from '../check.ts';
import type { Dim } from '../dim.ts';
import { addDims, floorDivDim, mulDims } from '../dim.ts';
import { GraphError } from '../graph-error.ts';
import type { Value } from '../value.ts';
import { attribute, constant, int64s, makeValue } from '../value.ts';

/** Options of a 2-D convolution; a single number counts for both axes or all sides. */
export interface ConvOptions {
  readonly strides?: number;
  /** One number, or [top, left, bottom, right]. */
  readonly pads?: number | readonly [number, number, number, number];
  readonly dilations?: number;
  readonly group?: number;
}

function convolved(
  size: Dim,
  kernel: number,
  before: number,
  after: number,
  stride: number,
  dilation: number,
): Dim {
  return addDims(
    floorDivDim(addDims(size, before + after - dilation * (kernel - 1) - 1), stride),
    1,
  );
}

/** ONNX Conv in two dimensions: x [b, c, h, w], weight [o, c / group, kh, kw], bias [o]. */
export function conv(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  const dtype = sameType('Conv', x, weight, ...(bias ? [bias] : []));
  ofRank('Conv', x, 4);
  ofRank('Conv', weight, 4);
  const { strides = 1, pads = 0, dilations = 1, group = 1 } = options;
  const [top, left, bottom, right] = typeof pads === 'number' ? [pads, pads, pads, pads] : pads;
  if (dimOf(x, 1) !== mulDims(dimOf(weight, 1), group)) {
    throw new GraphError(`Conv: channels differ, ${describe(x)} and weight ${describe(weight)}`);
  }
  if (bias)
    equalDims('Conv', 'output channels of weight and bias', dimOf(weight, 0), dimOf(bias, 0));
  const kernel = [numberDim('Conv', weight, 2), numberDim('Conv', weight, 3)] as const;
  const shape = [
    dimOf(x, 0),
    dimOf(weight, 0),
    convolved(dimOf(x, 2), kernel[0], top, bottom, strides, dilations),
    convolved(dimOf(x, 3), kernel[1], left, right, strides, dilations),
  ];
  return makeValue(
    'Conv',
    [x, weight, bias],
    { dtype, shape },
    {
      kernel_shape: attribute.ints(kernel),
      strides: attribute.ints([strides, strides]),
      pads: attribute.ints([top, left, bottom, right]),
      dilations: dilations === 1 ? undefined : attribute.ints([dilations, dilations]),
      group: group === 1 ? undefined : attribute.int(group),
    },
  );
}

/** ONNX Resize by a whole factor in height and width, each pixel repeated. */
export function resizeNearest(x: Value, factor: number): Value {
  ofRank('Resize', x, 4);
  const shape = [
    dimOf(x, 0),
    dimOf(x, 1),
    mulDims(dimOf(x, 2), factor),
    mulDims(dimOf(x, 3), factor),
  ];
  const scales = constant([1, 1, factor, factor], 'float32');
  return makeValue(
    'Resize',
    [x, undefined, scales],
    { dtype: x.dtype, shape },
    {
      mode: attribute.string('nearest'),
      coordinate_transformation_mode: attribute.string('asymmetric'),
      nearest_mode: attribute.string('floor'),
    },
  );
}

/**
 * ONNX Resize to the height and width given by an int64 [4] value, each pixel the nearest one;
 * `height` and `width` say what those sizes are.
 */
export function resizeNearestTo(x: Value, sizes: Value, height: Dim, width: Dim): Value {
  ofRank('Resize', x, 4);
  const shape = [dimOf(x, 0), dimOf(x, 1), height, width];
  return makeValue(
    'Resize',
    [x, undefined, undefined, sizes],
    { dtype: x.dtype, shape },
    {
      mode: attribute.string('nearest'),
      coordinate_transformation_mode: attribute.string('asymmetric'),
      nearest_mode: attribute.string('floor'),
    },
  );
}

/** ONNX Pad with zeros: `before` and `after` give one number for each axis. */
export function pad(x: Value, before: readonly number[], after: readonly number[]): Value {
  if (before.length !== x.shape.length || after.length !== x.shape.length) {
    throw new GraphError(`Pad: ${before.length} and ${after.length} sizes for ${describe(x)}`);
  }
  const shape = x.shape.map((dim, axis) => addDims(dim, (before[axis] ?? 0) + (after[axis] ?? 0)));
  return makeValue('Pad', [x, int64s(...before, ...after)], { dtype: x.dtype, shape });
}
