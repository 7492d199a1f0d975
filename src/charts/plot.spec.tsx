import { act, fireEvent, render, screen } from '@testing-library/react';
import type { JSX } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Plot } from './plot';
import type { IPlotly, PlotlyObject } from './plotly';
import { PlotlyLoader } from './plotlybox';
import type { IChartSpec } from './spec';

/** A plotly that keeps what it was told to draw. */
class Recorder implements IPlotly {
  drawn: PlotlyObject[][] = [];
  purged = 0;
  changes: PlotlyObject[] = [];
  Plots = { resize: (): void => {} };

  newPlot = (node: HTMLElement, data: PlotlyObject[]): Promise<unknown> => this.react(node, data);
  react = (node: HTMLElement, data: PlotlyObject[]): Promise<unknown> => {
    this.drawn.push(data);
    Object.assign(node, { on: () => {}, removeAllListeners: () => {} });
    return Promise.resolve();
  };
  relayout = (_: HTMLElement, change: PlotlyObject): Promise<unknown> => {
    this.changes.push(change);
    return Promise.resolve();
  };
  purge = (): void => {
    this.purged += 1;
  };
  toImage = (): Promise<string> => Promise.resolve('data:,');
}

function spec(points: number): IChartSpec {
  const x = Array.from({ length: points }, (_, i) => i);
  return {
    title: 'loss',
    x: { title: 'step' },
    y: { title: 'loss' },
    series: [{ name: 'train', x, y: x.map(i => (i === 1 ? null : i)), color: '#0072b2', notFinite: 1 }]
  };
}

function show(recorder: Recorder, points: number): JSX.Element {
  return (
    <PlotlyLoader.Provider value={load(recorder)}>
      <Plot spec={spec(points)} />
    </PlotlyLoader.Provider>
  );
}

const loaders = new WeakMap<Recorder, () => Promise<IPlotly>>();

function load(recorder: Recorder): () => Promise<IPlotly> {
  const known = loaders.get(recorder) ?? (() => Promise.resolve<IPlotly>(recorder));
  loaders.set(recorder, known);
  return known;
}

describe('a chart', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 600 });
  });

  afterEach(() => {
    vi.useRealTimers();
    Reflect.deleteProperty(HTMLElement.prototype, 'clientWidth');
  });

  it('redraws at most four times a second, and ends with the last points', async () => {
    const recorder = new Recorder();
    const { rerender } = render(show(recorder, 2));
    await act(() => vi.advanceTimersByTimeAsync(300));
    const before = recorder.drawn.length;
    for (let tick = 0; tick < 100; tick++) {
      rerender(show(recorder, 3 + tick));
      await act(() => vi.advanceTimersByTimeAsync(10));
    }
    await act(() => vi.advanceTimersByTimeAsync(300));
    expect(recorder.drawn.length - before).toBeLessThanOrEqual(6);
    expect(recorder.drawn.length - before).toBeGreaterThanOrEqual(3);
    expect(recorder.drawn.at(-1)![0]!['x']).toHaveLength(102);
  });

  it('waits with a redraw while a zoom is being dragged', async () => {
    const recorder = new Recorder();
    const { rerender, container } = render(show(recorder, 2));
    await act(() => vi.advanceTimersByTimeAsync(300));
    const before = recorder.drawn.length;
    fireEvent.pointerDown(container.querySelector('.jp-mls-Plot-canvas')!);
    rerender(show(recorder, 9));
    await act(() => vi.advanceTimersByTimeAsync(600));
    expect(recorder.drawn.length).toBe(before);
    fireEvent.pointerUp(window);
    await act(() => vi.advanceTimersByTimeAsync(10));
    expect(recorder.drawn.at(-1)![0]!['x']).toHaveLength(9);
  });

  it('gives everything back when it goes', async () => {
    const recorder = new Recorder();
    const { unmount } = render(show(recorder, 2));
    await act(() => vi.advanceTimersByTimeAsync(300));
    unmount();
    expect(recorder.purged).toBe(1);
  });

  it('says its numbers to a screen reader and shows them as a table', async () => {
    render(show(new Recorder(), 3));
    await act(() => vi.advanceTimersByTimeAsync(300));
    expect(screen.getByText(/^loss: loss over step, 1 series\. train: 2 points/)).toBeTruthy();
    expect(screen.getByText('1 point not finite')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Table' }));
    expect(screen.getAllByRole('row')).toHaveLength(4);
  });

  it('says why it cannot be drawn, and tries again', async () => {
    let tries = 0;
    const broken = (): Promise<IPlotly> => {
      tries += 1;
      return Promise.reject(new Error('chunk is gone'));
    };
    render(
      <PlotlyLoader.Provider value={broken}>
        <Plot spec={spec(2)} />
      </PlotlyLoader.Provider>
    );
    await act(() => vi.advanceTimersByTimeAsync(300));
    expect(screen.getByRole('alert').textContent).toContain('chunk is gone');
    fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
    await act(() => vi.advanceTimersByTimeAsync(10));
    expect(tries).toBe(2);
  });
});
