/** Two panes, one above the other, with a bar between them that can be dragged or moved with the arrow keys. */
import { type JSX, type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from 'react';

const MIN = 0.15;
const MAX = 0.85;

/** `share` is how much of the height the upper pane takes; without `below` it takes all. */
export function Split({
  above,
  below,
  share,
  onShare,
  label
}: {
  above: ReactNode;
  below: ReactNode | null;
  share: number;
  onShare: (share: number) => void;
  label: string;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const set = (value: number): void => onShare(Math.min(MAX, Math.max(MIN, value)));
  const drag = (event: PointerEvent<HTMLDivElement>): void => {
    const rect = box.current?.getBoundingClientRect();
    if (rect && rect.height > 0 && event.currentTarget.hasPointerCapture(event.pointerId)) {
      set((event.clientY - rect.top) / rect.height);
    }
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowUp: -0.05, ArrowDown: 0.05 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      set(share + step);
    }
  };
  return (
    <div className="jp-mls-Panes" ref={box}>
      <div
        className="jp-mls-Panes-pane"
        style={below === null ? { flexGrow: 1 } : { flexBasis: `${share * 100}%` }}
      >
        {above}
      </div>
      {below !== null && (
        <>
          <div
            className="jp-mls-Panes-bar"
            role="separator"
            aria-orientation="horizontal"
            aria-label={label}
            aria-valuenow={Math.round(share * 100)}
            aria-valuemin={MIN * 100}
            aria-valuemax={MAX * 100}
            tabIndex={0}
            onKeyDown={key}
            onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={drag}
          />
          <div className="jp-mls-Panes-pane" style={{ flexBasis: `${(1 - share) * 100}%` }}>
            {below}
          </div>
        </>
      )}
    </div>
  );
}
