/** State and signals: a thing that lives on the server, as the views see it. */
import { JSONExt, type ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { StudioError } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change } from '../api/types';

/**
 * One thing on the server: its last known value, why there is none, and a signal when either differs.
 *
 * While somebody retains it, it follows the feed; otherwise it asks for nothing and is read anew when it is retained
 * again. A value stays while a newer one is read or refused, so that a view never flickers. `refresh` never rejects:
 * what went wrong is in `error`.
 */
export abstract class Resource<T> implements IDisposable {
  constructor(protected readonly feed: Feed) {}

  get value(): T | undefined {
    return this._value;
  }

  get error(): StudioError | undefined {
    return this._error;
  }

  /** Whether the first value (or the one of a changed question) is being read. */
  get loading(): boolean {
    return this._loading;
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** How many views look at it. */
  get holders(): number {
    return this._holders;
  }

  /** Keeps it fresh until the answer is disposed. */
  retain(): IDisposable {
    this._holders += 1;
    if (this._holders === 1) {
      this.follow();
    }
    return new DisposableDelegate(() => {
      this._holders -= 1;
      if (this._holders === 0) {
        this.unfollow();
      }
    });
  }

  /** Reads the value anew; calls while one is under way are gathered into one that follows it. */
  refresh(): Promise<void> {
    if (this._pending) {
      this._next ??= this._pending.then(() => {
        this._next = undefined;
        return this.refresh();
      });
      return this._next;
    }
    const pending = this.read().finally(() => {
      if (this._pending === pending) {
        this._pending = undefined;
      }
    });
    this._pending = pending;
    return pending;
  }

  /** Takes a value that another answer brought (that of a command), instead of reading it. */
  accept(value: T): void {
    this._generation += 1;
    this._pending = undefined;
    this.settle(value, undefined);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._generation += 1;
    this.unfollow();
    Signal.clearData(this);
  }

  /** Reads the value from the server. */
  protected abstract fetch(): Promise<T>;

  /** Whether one of these changes may be of this thing. */
  protected abstract concerns(change: Change): boolean;

  /** Whether two values read the same to a view. */
  protected same(a: T, b: T): boolean {
    return JSONExt.deepEqual(a as ReadonlyPartialJSONValue, b as ReadonlyPartialJSONValue);
  }

  /** The question itself changed: answers under way are dropped and the value is read anew. */
  protected restart(keep = true): Promise<void> {
    this._generation += 1;
    this._pending = undefined;
    if (!keep) {
      this._value = undefined;
    }
    this._error = undefined;
    this._loading = true;
    this._stateChanged.emit();
    return this.refresh();
  }

  /** What happens on the feed's slow beat; nothing unless a subclass has no change of its own. */
  protected onBeat(): void {}

  protected follow(): void {
    this.feed.changed.connect(this.onChanged, this);
    this.feed.reset.connect(this.onReset, this);
    this.feed.beat.connect(this.onBeat, this);
    void this.refresh();
  }

  protected unfollow(): void {
    window.clearTimeout(this._timer);
    this._timer = undefined;
    this.feed.changed.disconnect(this.onChanged, this);
    this.feed.reset.disconnect(this.onReset, this);
    this.feed.beat.disconnect(this.onBeat, this);
  }

  protected onReset(): void {
    void this.refresh();
  }

  /** The least time between two readings that the feed asks for; a large value is worth a longer one. */
  protected get pauseMs(): number {
    return 0;
  }

  private onChanged(_: Feed, changes: Change[]): void {
    if (!changes.some(change => this.concerns(change)) || this._timer !== undefined) {
      return;
    }
    const wait = this._readAt + this.pauseMs - Date.now();
    if (wait <= 0) {
      void this.refresh();
    } else {
      this._timer = window.setTimeout(() => {
        this._timer = undefined;
        void this.refresh();
      }, wait);
    }
  }

  private async read(): Promise<void> {
    const generation = this._generation;
    this._readAt = Date.now();
    if (this._value === undefined && !this._loading) {
      this._loading = true;
      this._stateChanged.emit();
    }
    let value: T | undefined;
    let error: StudioError | undefined;
    try {
      await this.feed.ready;
      value = await this.fetch();
    } catch (why) {
      error = StudioError.from(why);
    }
    if (generation === this._generation) {
      this.settle(value, error);
    }
  }

  /** Takes what a reading brought; emits only when something differs. */
  protected settle(value: T | undefined, error: StudioError | undefined): void {
    const differs =
      this._loading ||
      error?.message !== this._error?.message ||
      error?.code !== this._error?.code ||
      (value !== undefined && (this._value === undefined || !this.same(this._value, value)));
    this._loading = false;
    this._error = error;
    if (differs) {
      this._value = value ?? this._value;
      this._stateChanged.emit();
    }
  }

  private _value: T | undefined;
  private _error: StudioError | undefined;
  private _loading = false;
  private _holders = 0;
  private _generation = 0;
  private _pending: Promise<void> | undefined;
  private _next: Promise<void> | undefined;
  private _isDisposed = false;
  private _readAt = 0;
  private _timer: number | undefined;
  private readonly _stateChanged = new Signal<this, void>(this);
}
