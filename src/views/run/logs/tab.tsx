/** The run's output, live. */
import {
  type JSX,
  type KeyboardEvent,
  memo,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState
} from 'react';
import { isEnded } from '../../../api/types';
import { readWholeLog } from '../../../models/actions';
import { saveText } from '../../../charts/save';
import { Button, EmptyState, ErrorBox, Loading, formatBytes, plural, useResource } from '../../common';
import type { RunProps } from '../header';
import { growBlocks, type IChunk, type ILogBlocks, NO_BLOCKS } from './chunks';
import { LogLine } from './line';
import { findLines } from './lines';

const NEAR_PX = 40;

interface ChunkProps {
  chunk: IChunk;
  /** The line that is looked at, within this block; -1 for none. */
  current: number;
}

const Chunk = memo(function Chunk({ chunk, current }: ChunkProps): JSX.Element {
  return (
    <div className="jp-mls-LogChunk" style={{ containIntrinsicSize: `auto ${chunk.lines.length * 17}px` }}>
      {chunk.lines.map((line, index) => (
        <LogLine key={index} line={line} className={index === current ? 'jp-mls-mod-current' : ''} />
      ))}
    </div>
  );
});

function useBlocks(text: string): ILogBlocks {
  const last = useRef(NO_BLOCKS);
  return useMemo(() => (last.current = growBlocks(last.current, text)), [text]);
}

interface IScroll {
  box: React.RefObject<HTMLDivElement>;
  content: (node: HTMLDivElement | null) => void;
  onScroll: () => void;
}

/** Keeps the place that is read: at the end while following, on the same line when older text comes before it. */
function useScroll(
  offset: number,
  follow: boolean,
  setFollow: (follow: boolean) => void,
  onTop: () => void
): IScroll {
  const box = useRef<HTMLDivElement>(null);
  const [node, content] = useState<HTMLDivElement | null>(null);
  const last = useRef({ offset, height: 0, top: 0 });
  const keep = useRef<() => void>(() => {});
  keep.current = () => {
    const element = box.current;
    if (!element) {
      return;
    }
    if (offset < last.current.offset) {
      element.scrollTop += element.scrollHeight - last.current.height;
    } else if (follow) {
      element.scrollTop = element.scrollHeight;
    }
    last.current = { offset, height: element.scrollHeight, top: element.scrollTop };
  };
  useLayoutEffect(() => keep.current());
  useEffect(() => {
    if (!node) {
      return undefined;
    }
    // Blocks get their true height when they are first drawn.
    const observer = new ResizeObserver(() => keep.current());
    observer.observe(node);
    return () => observer.disconnect();
  }, [node]);
  const onScroll = (): void => {
    const element = box.current;
    if (!element) {
      return;
    }
    if (element.scrollTop < last.current.top - 2) {
      setFollow(false);
    } else if (element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX) {
      setFollow(true);
    }
    last.current.top = element.scrollTop;
    if (element.scrollTop < NEAR_PX) {
      onTop();
    }
  };
  return { box, content, onScroll };
}

function useSearch(blocks: ILogBlocks): {
  wanted: string;
  setWanted: (text: string) => void;
  found: number[];
  at: number;
  step: (by: number) => void;
} {
  const [wanted, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo(
    () =>
      wanted
        ? findLines(
            blocks.chunks.flatMap(chunk => chunk.lines),
            wanted
          )
        : [],
    [blocks, wanted]
  );
  const setWanted = (text: string): void => {
    setText(text);
    setAt(0);
  };
  const step = (by: number): void =>
    setAt(now => (found.length ? (now + by + found.length) % found.length : 0));
  return { wanted, setWanted, found, at: Math.min(at, Math.max(0, found.length - 1)), step };
}

/** A tail of any size: older parts are read when one scrolls up, newer ones as they come. */
export function LogsTab({ studio, run }: RunProps): JSX.Element {
  const model = useResource(studio.log(run.id));
  const log = model.value;
  const blocks = useBlocks(log?.text ?? '');
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(true);
  const search = useSearch(blocks);
  const older = (): void => {
    if (log && log.offset > 0) {
      void model.earlier();
    }
  };
  const { box, content, onScroll } = useScroll(
    log?.offset ?? 0,
    follow && search.found.length === 0,
    setFollow,
    older
  );
  const line = search.found[search.at] ?? -1;
  useLayoutEffect(() => {
    box.current?.querySelector('.jp-mls-mod-current')?.scrollIntoView({ block: 'center' });
  }, [box, line]);
  if (!log) {
    return model.error ? (
      <ErrorBox what="The log could not be read" error={model.error} retry={() => model.refresh()} />
    ) : (
      <Loading />
    );
  }
  if (log.size === 0) {
    return (
      <EmptyState title="No output">
        {isEnded(run.status) ? 'This run printed nothing.' : 'What the run prints shows up here at once.'}
      </EmptyState>
    );
  }
  return (
    <div className="jp-mls-Logs">
      <LogBar
        search={search}
        follow={follow}
        setFollow={setFollow}
        wrap={wrap}
        setWrap={setWrap}
        partial={log.offset > 0}
      >
        <span className="jp-mls-quiet">
          {formatBytes(log.size)}
          {log.live ? ' · live' : ''}
        </span>
        <Button
          onClick={() =>
            void readWholeLog(studio, run.id).then(text => saveText(text, `${run.name}.log`, 'text/plain'))
          }
        >
          Download
        </Button>
      </LogBar>
      {model.error && (
        <ErrorBox what="New output could not be read" error={model.error} retry={() => model.refresh()} />
      )}
      <div
        ref={box}
        className={`jp-mls-LogBox ${wrap ? 'jp-mls-mod-wrap' : ''}`}
        role="log"
        aria-live="off"
        aria-label="Output of the run"
        tabIndex={0}
        onScroll={onScroll}
      >
        {log.offset > 0 && (
          <Button minimal onClick={older}>
            {formatBytes(log.offset)} before this: load older
          </Button>
        )}
        <div ref={content}>
          {blocks.chunks.map(chunk => (
            <Chunk
              key={chunk.id}
              chunk={chunk}
              current={
                line >= chunk.first && line < chunk.first + chunk.lines.length ? line - chunk.first : -1
              }
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface BarProps {
  search: ReturnType<typeof useSearch>;
  follow: boolean;
  setFollow: (follow: boolean) => void;
  wrap: boolean;
  setWrap: (wrap: boolean) => void;
  /** Only a part of the log is loaded. */
  partial: boolean;
  children: React.ReactNode;
}

function LogBar({ search, follow, setFollow, wrap, setWrap, partial, children }: BarProps): JSX.Element {
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      search.step(event.shiftKey ? -1 : 1);
    }
  };
  const where = partial ? ' in the loaded part' : '';
  const result = search.found.length
    ? `${search.at + 1} of ${plural(search.found.length, 'line')}${where}`
    : `not found${where}`;
  return (
    <div className="jp-mls-Toolbar">
      <input
        className="jp-mls-Input"
        type="search"
        placeholder="Find in the log"
        aria-label="Find in the log"
        value={search.wanted}
        onChange={event => search.setWanted(event.target.value)}
        onKeyDown={keys}
      />
      {search.wanted && (
        <>
          <span role="status" className="jp-mls-quiet">
            {result}
          </span>
          <Button
            minimal
            title="Previous (Shift+Enter)"
            disabled={!search.found.length}
            onClick={() => search.step(-1)}
          >
            ↑
          </Button>
          <Button minimal title="Next (Enter)" disabled={!search.found.length} onClick={() => search.step(1)}>
            ↓
          </Button>
        </>
      )}
      <span className="jp-mls-Toolbar-space" />
      {children}
      <label>
        <input type="checkbox" checked={follow} onChange={event => setFollow(event.target.checked)} /> Follow
      </label>
      <label>
        <input type="checkbox" checked={wrap} onChange={event => setWrap(event.target.checked)} /> Wrap
      </label>
    </div>
  );
}
