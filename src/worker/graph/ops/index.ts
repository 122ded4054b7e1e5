/** All op functions. */
export * from './attention.ts';
export * from './control.ts';
export * from './conv.ts';
export * from './elementwise.ts';
export * from './linear.ts';
export * from './norm.ts';
export * from './reduce.ts';
export * from './shape.ts';
