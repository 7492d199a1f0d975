/** What every view is made of. */
export * from './controls';
export * from './format';
export * from './hooks';
export * from './icons';
export * from './status';
export * from './text';
export * from './forms';
export * from './menu';
export * from './split';
