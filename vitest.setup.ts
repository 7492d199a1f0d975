/** What Lab's packages expect of a browser and jsdom does not have; and every warning is an error. */
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';

class DragEventShim extends MouseEvent {}

class ResizeObserverShim {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const shims: Record<string, unknown> = {
  DragEvent: DragEventShim,
  ResizeObserver: ResizeObserverShim,
  IntersectionObserver: ResizeObserverShim,
  matchMedia: (query: string) => ({
    matches: false,
    media: query,
    onchange: null,
    addListener() {},
    removeListener() {},
    addEventListener() {},
    removeEventListener() {},
    dispatchEvent: () => false
  })
};
for (const [name, shim] of Object.entries(shims)) {
  if ((globalThis as Record<string, unknown>)[name] === undefined) {
    Object.defineProperty(globalThis, name, { value: shim, configurable: true, writable: true });
  }
}

beforeEach(() => {
  for (const level of ['error', 'warn'] as const) {
    vi.spyOn(console, level).mockImplementation((...what: unknown[]) => {
      throw new Error(`console.${level}: ${what.map(String).join(' ')}`);
    });
  }
});

afterEach(cleanup);
configure({ asyncUtilTimeout: 8000 }); // a busy machine shows later what is right
