/**
 * The one clock of the front end.
 *
 * The server says over Jupyter's own event stream that its store moved on; the feed then asks what changed. When no
 * event comes it asks by itself, at a slow beat while the server answers and with growing pauses while it does not.
 * It stands by while the tab is hidden and catches up when the tab is shown again.
 */
import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { type Client, StudioError } from './client';
import type { Change } from './types';

export const CHANGE_EVENT = 'https://events.jupyter.org/jupyter_mlstudio/change/v1';

/** At most four rounds a second, whatever the server sends. */
const GATHER_MS = 250;
/** Something may be missed on the event stream, so the feed looks by itself now and then. */
const BEAT_MS = 5_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

export class Feed implements IDisposable {
  constructor(
    private readonly client: Client,
    private readonly events?: Pick<Event.IManager, 'stream'>
  ) {
    events?.stream.connect(this.onEvent, this);
    document.addEventListener('visibilitychange', this.onVisibility);
    this.ready = this.poll();
  }

  /** Resolves when the first question is answered or refused; what is read after that misses no change. */
  readonly ready: Promise<void>;

  /** What changed since the last time, oldest first; never empty. */
  get changed(): ISignal<this, Change[]> {
    return this._changed;
  }

  /** Everything may have changed: the store was replaced, or the server was away for long. */
  get reset(): ISignal<this, void> {
    return this._reset;
  }

  /** A slow, regular beat while connected and visible, for what has no change of its own (CPU load). */
  get beat(): ISignal<this, void> {
    return this._beat;
  }

  /** Emits when `connected` flips. */
  get connectedChanged(): ISignal<this, boolean> {
    return this._connectedChanged;
  }

  /** Whether the last question was answered. True until the first one failed. */
  get connected(): boolean {
    return this._error === undefined;
  }

  /** Why the server is away, while it is. */
  get error(): StudioError | undefined {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Asks now, whatever the clock says. */
  async poll(): Promise<void> {
    if (this._asking || this._isDisposed) {
      this._again = true;
      return;
    }
    this._asking = true;
    try {
      this.take(await this.client.listChanges(this._seq ?? 0, this._epoch));
    } catch (why) {
      this.fail(StudioError.from(why));
    } finally {
      this._asking = false;
    }
    this.next();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    this.events?.stream.disconnect(this.onEvent, this);
    document.removeEventListener('visibilitychange', this.onVisibility);
    Signal.clearData(this);
  }

  private take(answer: { seq: number; epoch: string; reset: boolean; changes: Change[] }): void {
    const first = this._seq === undefined;
    const returned = this._error !== undefined;
    this._seq = answer.seq;
    this._epoch = answer.epoch;
    this._error = undefined;
    this._failures = 0;
    if (returned) {
      this._connectedChanged.emit(true);
    }
    if (first ? returned : answer.reset) {
      this._reset.emit();
    } else if (!first && answer.changes.length > 0) {
      this._changed.emit(answer.changes);
    }
    if (Date.now() - this._beatAt >= BEAT_MS) {
      this._beatAt = Date.now();
      this._beat.emit();
    }
  }

  private fail(why: StudioError): void {
    const left = this._error === undefined;
    this._error = why;
    this._failures += 1;
    if (left) {
      this._connectedChanged.emit(false);
    }
  }

  private next(): void {
    if (this._again) {
      this._again = false;
      this.schedule(GATHER_MS);
    } else if (this._error) {
      this.schedule(RETRY_MS[Math.min(this._failures, RETRY_MS.length) - 1] ?? BEAT_MS);
    } else {
      this.schedule(BEAT_MS);
    }
  }

  private schedule(delayMs: number): void {
    window.clearTimeout(this._timer);
    if (this._isDisposed || document.hidden) {
      return;
    }
    this._due = Date.now() + delayMs;
    this._timer = window.setTimeout(() => void this.poll(), delayMs);
  }

  private onEvent(_: unknown, emission: Event.Emission): void {
    if (emission.schema_id !== CHANGE_EVENT) {
      return;
    }
    if (this._asking) {
      this._again = true;
    } else if (this._due > Date.now() + GATHER_MS) {
      this.schedule(GATHER_MS);
    }
  }

  private readonly onVisibility = (): void => {
    if (document.hidden) {
      window.clearTimeout(this._timer);
    } else {
      this.schedule(0);
    }
  };

  private _seq: number | undefined;
  private _epoch = '';
  private _error: StudioError | undefined;
  private _failures = 0;
  private _asking = false;
  private _again = false;
  private _due = 0;
  private _beatAt = Date.now();
  private _timer = 0;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, Change[]>(this);
  private readonly _reset = new Signal<this, void>(this);
  private readonly _beat = new Signal<this, void>(this);
  private readonly _connectedChanged = new Signal<this, boolean>(this);
}
