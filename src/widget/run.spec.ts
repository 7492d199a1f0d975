import { afterEach, describe, expect, it } from 'vitest';

import {
  durationText,
  numberText,
  render,
  sparklinePoints,
  statusText,
  type Card,
  type CardModel
} from './run';

const CANARY = '<img src=x onerror=window.__x=1>';

const CARD: Card = {
  name: 'forest-3',
  status: 'Running',
  live: true,
  can_stop: true,
  reason: '',
  experiment: 'churn',
  where: 'cell 4 of quickstart.ipynb',
  elapsed_s: 41.2,
  params: [['n_estimators', '200']],
  metrics: [{ name: 'accuracy', value: 0.953123, sparkline: [0.9, null, 0.94, 0.95] }],
  progress: { done: 12, total: 50, text: 'epoch' },
  log: 'first\nepoch 12/50\n',
  error: ''
};

class Model implements CardModel {
  readonly sent: unknown[] = [];
  private readonly callbacks = new Set<() => void>();

  constructor(private card: Partial<Card>) {}

  get(): Partial<Card> {
    return this.card;
  }

  set(card: Partial<Card>): void {
    this.card = card;
    this.callbacks.forEach(callback => callback());
  }

  on(_: string, callback: () => void): void {
    this.callbacks.add(callback);
  }

  off(_: string, callback: () => void): void {
    this.callbacks.delete(callback);
  }

  send(content: unknown): void {
    this.sent.push(content);
  }

  get listeners(): number {
    return this.callbacks.size;
  }
}

function draw(card: Partial<Card>): { model: Model; el: HTMLElement; close: () => void } {
  const el = document.body.appendChild(document.createElement('div'));
  const model = new Model(card);
  return { model, el, close: render({ model, el }) };
}

function button(el: HTMLElement): HTMLButtonElement {
  return el.querySelector('button') as HTMLButtonElement;
}

afterEach(() => document.body.replaceChildren());

describe('the run card', () => {
  it('shows name, status, time, parameters, metrics, progress and the last line of the log', () => {
    const { el } = draw(CARD);
    for (const text of [
      'forest-3',
      '● Running',
      '41 s',
      'n_estimators 200',
      'accuracy 0.9531',
      '12/50 epoch',
      'epoch 12/50'
    ]) {
      expect(el.textContent).toContain(text);
    }
    expect(el.querySelectorAll('polyline')).toHaveLength(1);
    expect(el.querySelector('[role=group]')?.getAttribute('aria-label')).toBe('Run forest-3, Running');
  });

  it('follows the kernel without replacing what stands under the pointer', () => {
    const { model, el } = draw(CARD);
    const before = button(el);
    model.set({ ...CARD, status: 'Completed', live: false, can_stop: false });
    expect(el.textContent).toContain('✓ Completed');
    expect(button(el)).toBe(before);
    expect(before.hidden).toBe(true);
  });

  it('asks the kernel to stop the run, once', () => {
    const { model, el } = draw(CARD);
    button(el).click();
    button(el).click();
    expect(model.sent).toEqual([{ type: 'stop' }]);
  });

  it('writes everything as text', () => {
    const { el } = draw({
      ...CARD,
      name: CANARY,
      reason: CANARY,
      experiment: CANARY,
      params: [[CANARY, CANARY]],
      metrics: [{ name: CANARY, value: CANARY, sparkline: [] }],
      log: CANARY,
      error: CANARY
    });
    expect(el.querySelector('img')).toBeNull();
    expect(el.querySelector('.name')?.textContent).toBe(CANARY);
  });

  it('draws an empty card before the kernel has answered', () => {
    expect(draw({}).el.querySelector('.mlstudio-card')).not.toBeNull();
  });

  it('stops listening when it is removed', () => {
    const { model, close } = draw(CARD);
    close();
    expect(model.listeners).toBe(0);
  });
});

describe('its words', () => {
  it.each([
    [null, ''],
    [0.4, '0 s'],
    [72, '1 min 12 s'],
    [3840, '1 h 04 min']
  ])('a duration of %j reads %j', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it('keeps four significant digits and says NaN', () => {
    expect(numberText(0.953149)).toBe('0.9531');
    expect(numberText('NaN')).toBe('NaN');
  });

  it('splits status names', () => {
    expect(statusText('CancelRequested')).toBe('Cancel requested');
  });

  it('leaves gaps in a sparkline', () => {
    expect(sparklinePoints([0, 1, null, 1, 0], 40, 10)).toEqual(['0.0,9.0 10.0,1.0', '30.0,1.0 40.0,9.0']);
    expect(sparklinePoints([null, 3], 40, 10)).toEqual([]);
  });
});
