import { type JSX, memo } from 'react';
import { grouped } from '../../common';
import type { ILogLine } from './lines';

/** One line of output, in the colours it asked for. */
export const LogLine = memo(function LogLine({
  line,
  className = ''
}: {
  line: ILogLine;
  className?: string;
}): JSX.Element {
  return (
    <div className={`jp-mls-LogLine ${className}`}>
      {line.pieces.map((piece, index) =>
        piece.classes ? (
          <span key={index} className={piece.classes}>
            {piece.text}
          </span>
        ) : (
          piece.text
        )
      )}
      {line.cut > 0 && (
        <span className="jp-mls-LogCut">
          … {grouped(line.cut)} more characters, download the log to see them
        </span>
      )}
      {line.pieces.length === 0 && '\u200b'}
    </div>
  );
});
