/** What the user chose about how things are shown, kept between visits. */
import { JSONExt, type ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

/** Where preferences are kept: Lab's state database has this shape. */
export interface PreferenceStore {
  fetch(id: string): Promise<ReadonlyPartialJSONValue | undefined>;
  save(id: string, value: ReadonlyPartialJSONValue): Promise<unknown>;
}

const PREFIX = 'jupyter_mlstudio:preference:';

/** Read once per name, then answered from memory; a store that fails costs the memory of it, nothing else. */
export class Preferences {
  constructor(private readonly store?: PreferenceStore) {}

  /** Emits the name of a preference whose value changed. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  /** The value of a preference, `fallback` until one was chosen. */
  get<T extends ReadonlyPartialJSONValue>(name: string, fallback: T): T {
    if (!this._values.has(name)) {
      this._values.set(name, undefined);
      void this.load(name);
    }
    return (this._values.get(name) as T | undefined) ?? fallback;
  }

  set(name: string, value: ReadonlyPartialJSONValue): void {
    const old = this._values.get(name);
    if (old !== undefined && JSONExt.deepEqual(old, value)) {
      return;
    }
    this._values.set(name, value);
    this._changed.emit(name);
    this.store?.save(PREFIX + name, value).catch((why: unknown) => {
      console.warn(`The preference ${name} was not kept`, why);
    });
  }

  private async load(name: string): Promise<void> {
    const value = await this.store?.fetch(PREFIX + name).catch(() => undefined);
    if (value !== undefined && this._values.get(name) === undefined) {
      this._values.set(name, value);
      this._changed.emit(name);
    }
  }

  private readonly _values = new Map<string, ReadonlyPartialJSONValue | undefined>();
  private readonly _changed = new Signal<this, string>(this);
}
