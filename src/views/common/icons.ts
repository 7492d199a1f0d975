/** One icon per noun and per status, drawn on a 16 x 16 grid in the theme's colours. */
import { LabIcon } from '@jupyterlab/ui-components';

function icon(name: string, body: string): LabIcon {
  return new LabIcon({
    name: `mlstudio:${name}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${body}</svg>`
  });
}

function lines(name: string, path: string, extra = ''): LabIcon {
  return icon(
    name,
    `<g class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round">${path}</g>${extra}`
  );
}

export const studioIcon = lines(
  'studio',
  '<path d="M6 1.8h4M7 1.8v4L2.9 12.6a1.1 1.1 0 0 0 1 1.6h8.2a1.1 1.1 0 0 0 1-1.6L9 5.8v-4"/><path d="M4.9 11.4l2.2-2 1.9 1.4 2.2-2.2"/>'
);
export const runIcon = lines('run', '<path d="M1.8 8h2.6l1.9-5 3 10 1.9-5h3"/>');
export const experimentIcon = lines(
  'experiment',
  '<path d="M2 2v12h12"/><path d="M4.6 10.6l2.6-3 2.2 1.6 3.8-5"/>'
);
export const modelIcon = lines(
  'model',
  '<path d="M8 1.7l5.6 3.1v6.4L8 14.3l-5.6-3.1V4.8z"/><path d="M2.6 5L8 8l5.4-3M8 8v6"/>'
);
export const endpointIcon = lines(
  'endpoint',
  '<circle cx="8" cy="8" r="1.6"/><path d="M4.6 4.6a4.8 4.8 0 0 0 0 6.8M11.4 4.6a4.8 4.8 0 0 1 0 6.8M2.4 2.4a8 8 0 0 0 0 11.2M13.6 2.4a8 8 0 0 1 0 11.2"/>'
);
export const computeIcon = lines(
  'compute',
  '<rect x="4" y="4" width="8" height="8" rx="1"/><path d="M6.2 1.8V4M9.8 1.8V4M6.2 12v2.2M9.8 12v2.2M1.8 6.2H4M1.8 9.8H4M12 6.2h2.2M12 9.8h2.2"/>'
);
export const automlIcon = lines(
  'automl',
  '<path d="M1.4 13.8h13.2M1.9 13.6V9h4.1M10 7h4.1v6.6M6 13.6V4.4h4v9.2"/><path d="M8 1.2v.8"/>'
);
export const compareIcon = lines(
  'compare',
  '<path d="M2 2v12h12"/><path d="M4.4 11c2-6 4-7 9-7.4"/><path d="M4.4 12c3-2 5-4 9-4.2"/>'
);

export const waitingIcon = lines(
  'status-waiting',
  '<circle cx="8" cy="8" r="5.6" stroke-dasharray="2.4 2.2"/>'
);
export const liveIcon = icon(
  'status-live',
  '<circle class="jp-mls-pulse" cx="8" cy="8" r="4.6" fill="currentColor"/>'
);
export const doneIcon = icon(
  'status-done',
  '<path d="M3.2 8.4l3.2 3.2 6.4-7" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>'
);
export const failedIcon = icon(
  'status-failed',
  '<path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/>'
);
export const stoppedIcon = icon(
  'status-stopped',
  '<rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor"/>'
);
export const unknownIcon = icon(
  'status-unknown',
  '<path d="M8 2.2l6.2 11H1.8z" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/><path d="M8 6.4v3.2M8 11.3v.2" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"/>'
);
export const pausedIcon = icon(
  'status-paused',
  '<path d="M5.6 4v8M10.4 4v8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>'
);
export const pinIcon = icon(
  'best',
  '<path d="M8 2l1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z" fill="currentColor"/>'
);
export const infoIcon = icon(
  'status-info',
  '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.3"/><path d="M8 7.4v3.8M8 4.8v.2" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>'
);
