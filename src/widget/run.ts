/**
 * The live run card for front ends without the studio's extension: VS Code, Colab, the classic notebook.
 *
 * An anywidget module (https://anywidget.dev) without dependencies. The kernel sets one trait, `card`; whatever it holds is
 * written as text, never as markup. "Stop" sends `{"type": "stop"}` to the kernel.
 */

/** What a card shows, as `jupyter_mlstudio/kernel/widgets.py` sets it. */
export interface Card {
  name: string;
  status: string;
  live: boolean;
  can_stop: boolean;
  reason: string;
  experiment: string;
  where: string;
  elapsed_s: number | null;
  params: [name: string, value: string][];
  metrics: { name: string; value: number | string; sparkline: (number | null)[] }[];
  progress: { done: number; total: number; text: string } | null;
  log: string;
  error: string;
}

/** The part of anywidget's model that a card uses. */
export interface CardModel {
  get(name: 'card'): Partial<Card>;
  on(event: 'change:card', callback: () => void): void;
  off(event: 'change:card', callback: () => void): void;
  send(content: unknown): void;
}

const CSS = `
.mlstudio-card { border: 1px solid rgba(128, 128, 128, .35); padding: 8px 12px; font: 13px/1.5 system-ui, sans-serif;
  color: var(--jp-ui-font-color1, var(--vscode-foreground, inherit)); max-width: 860px; }
.mlstudio-card > div + div { margin-top: 4px; }
.mlstudio-card .head, .mlstudio-card .metrics, .mlstudio-card .params { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: center; }
.mlstudio-card .name { font-weight: 600; }
.mlstudio-card .quiet { opacity: .7; }
.mlstudio-card .grow { flex: 1; }
.mlstudio-card .number { font-variant-numeric: tabular-nums; }
.mlstudio-card .wrong { color: var(--jp-error-color1, var(--vscode-errorForeground, #b3261e)); white-space: pre-wrap; overflow-wrap: anywhere; }
.mlstudio-card svg { width: 72px; height: 16px; vertical-align: middle; margin-left: 6px; }
.mlstudio-card .bar { height: 3px; background: rgba(128, 128, 128, .25); }
.mlstudio-card .bar > div { height: 3px; background: var(--jp-brand-color1, var(--vscode-progressBar-background, #0072b2)); }
.mlstudio-card pre { margin: 4px 0 0; max-height: 14em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; }
.mlstudio-card button { font: inherit; padding: 1px 10px; cursor: pointer; }
`;

const SIGNS: Record<string, string> = {
  Completed: '✓',
  Failed: '✗',
  Canceled: '⊘',
  Queued: '○',
  NotStarted: '○'
};
const SVG = 'http://www.w3.org/2000/svg';

/** A duration as it is read aloud: `41 s`, `1 min 12 s`, `1 h 04 min`. */
export function durationText(seconds: number | null): string {
  if (seconds === null) {
    return '';
  }
  const whole = Math.floor(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${String(whole % 60).padStart(2, '0')} s`
    : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Four significant digits; `NaN` and infinities as they are. */
export function numberText(value: number | string): string {
  const number = Number(value);
  return Number.isFinite(number) ? String(Number(number.toPrecision(4))) : String(value);
}

/** `CancelRequested` as words. */
export function statusText(status: string): string {
  return status.replace(/(?!^)[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
}

/** Points of an SVG polyline, one list for each stretch without gaps. */
export function sparklinePoints(values: readonly (number | null)[], width: number, height: number): string[] {
  const finite = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low;
  const step = width / Math.max(1, values.length - 1);
  const lines: string[][] = [[]];
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      lines.push([]);
      return;
    }
    const y = span === 0 ? height / 2 : height - 1 - ((value - low) / span) * (height - 2);
    lines.at(-1)?.push(`${(index * step).toFixed(1)},${y.toFixed(1)}`);
  });
  return lines.filter(line => line.length > 1).map(line => line.join(' '));
}

function element(tag: string, className: string, text = '', ...children: Element[]): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  made.append(...children);
  return made;
}

function sparkline(values: readonly (number | null)[]): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 72 16');
  svg.setAttribute('aria-hidden', 'true');
  for (const points of sparklinePoints(values, 72, 16)) {
    const line = document.createElementNS(SVG, 'polyline');
    line.setAttribute('points', points);
    line.setAttribute('fill', 'none');
    line.setAttribute('stroke', 'currentColor');
    line.setAttribute('stroke-width', '1.25');
    svg.append(line);
  }
  return svg;
}

/** The parts of a card that stay in the document, so that nothing moves under the pointer and focus is kept. */
class View {
  readonly name = element('span', 'name');
  readonly status = element('span', 'status');
  readonly elapsed = element('span', 'quiet number');
  readonly where = element('span', 'quiet');
  readonly stop = element('button', 'stop', 'Stop') as HTMLButtonElement;
  readonly params = element('div', 'params quiet');
  readonly metrics = element('div', 'metrics');
  readonly progressText = element('div', 'quiet number');
  readonly fill = element('div', '');
  readonly progress = element('div', '', '', this.progressText, element('div', 'bar', '', this.fill));
  readonly wrong = element('div', 'wrong');
  readonly lastLine = element('summary', 'quiet');
  readonly log = element('pre', '');
  readonly logs = element('details', '', '', this.lastLine, this.log);
  readonly body = element(
    'div',
    'mlstudio-card',
    '',
    element(
      'div',
      'head',
      '',
      this.name,
      this.status,
      this.elapsed,
      element('span', 'grow'),
      this.where,
      this.stop
    ),
    this.params,
    this.metrics,
    this.progress,
    this.wrong,
    this.logs
  );

  constructor(onStop: () => void) {
    this.body.setAttribute('role', 'group');
    this.stop.addEventListener('click', () => {
      this.stop.disabled = true;
      onStop();
    });
  }

  show(card: Card): void {
    const status = statusText(card.status);
    this.body.setAttribute('aria-label', `Run ${card.name}, ${status}`);
    write(this.name, card.name);
    write(this.status, `${SIGNS[card.status] ?? '●'} ${status}`);
    write(this.elapsed, durationText(card.elapsed_s));
    write(
      this.where,
      [card.experiment && `experiment ${card.experiment}`, card.where].filter(Boolean).join(' · ')
    );
    this.stop.hidden = !card.can_stop;
    this.params.replaceChildren(
      ...card.params.map(([name, value]) => element('span', '', `${name} ${value}`))
    );
    this.metrics.replaceChildren(...card.metrics.map(metricElement));
    this.showProgress(card.progress);
    write(this.wrong, [card.reason, card.error].filter(Boolean).join('\n'));
    this.logs.hidden = card.log === '';
    write(this.lastLine, card.log.trimEnd().split('\n').at(-1) ?? '');
    write(this.log, card.log);
  }

  private showProgress(progress: Card['progress']): void {
    this.progress.hidden = progress === null;
    if (progress !== null) {
      const { done, total, text } = progress;
      write(this.progressText, `${done}/${total} ${text}`);
      this.fill.style.width = `${total > 0 ? Math.min(100, (100 * done) / total) : 0}%`;
    }
  }
}

/** Sets an element's text only when it differs, so that a selection in it survives. */
function write(target: Element, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

function metricElement(metric: Card['metrics'][number]): HTMLElement {
  return element('span', 'number', `${metric.name} ${numberText(metric.value)}`, sparkline(metric.sparkline));
}

const EMPTY: Card = {
  name: '',
  status: '',
  live: false,
  can_stop: false,
  reason: '',
  experiment: '',
  where: '',
  elapsed_s: null,
  params: [],
  metrics: [],
  progress: null,
  log: '',
  error: ''
};

/** Draws the card and keeps it up to date. */
export function render({ model, el }: { model: CardModel; el: HTMLElement }): () => void {
  const view = new View(() => model.send({ type: 'stop' }));
  const draw = (): void => view.show({ ...EMPTY, ...model.get('card') });
  draw();
  el.replaceChildren(element('style', '', CSS), view.body);
  model.on('change:card', draw);
  return () => model.off('change:card', draw);
}

export default { render };
