/** What every view is made of. */
export * from './bar';
export * from './buttons';
export * from './format';
export * from './hooks';
export * from './icons';
export * from './section';
export * from './status';
export * from './notices';
export * from './tables';
export * from './tags';
export * from './tabs';
export * from './text';
export * from './forms';
export * from './menu';
export * from './split';
export * from './whole';
export * from './window';
