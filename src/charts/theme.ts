import { useEffect, useState } from 'react';

/** What a chart takes from JupyterLab's theme, as colours that plotly understands. */
export interface IChartTheme {
  text: string;
  faintText: string;
  grid: string;
  line: string;
  ground: string;
  accent: string;
  fontFamily: string;
  fontSize: number;
  light: boolean;
}

/** The look where there is no theme. */
export const FALLBACK_THEME: IChartTheme = {
  text: '#212121',
  faintText: '#616161',
  grid: '#e0e0e0',
  line: '#9e9e9e',
  ground: '#ffffff',
  accent: '#1976d2',
  fontFamily: 'system-ui, sans-serif',
  fontSize: 12,
  light: true
};

/** Reads the theme's variables where the chart stands. */
export function readTheme(element: Element = document.body): IChartTheme {
  const style = getComputedStyle(element);
  const read = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback;
  return {
    text: read('--jp-ui-font-color1', FALLBACK_THEME.text),
    faintText: read('--jp-ui-font-color2', FALLBACK_THEME.faintText),
    grid: read('--jp-border-color2', FALLBACK_THEME.grid),
    line: read('--jp-border-color0', FALLBACK_THEME.line),
    ground: read('--jp-layout-color1', FALLBACK_THEME.ground),
    accent: read('--jp-brand-color1', FALLBACK_THEME.accent),
    fontFamily: read('--jp-ui-font-family', FALLBACK_THEME.fontFamily),
    fontSize: parseFloat(read('--jp-ui-font-size1', '12')) - 1 || FALLBACK_THEME.fontSize,
    light: document.body.dataset['jpThemeLight'] !== 'false'
  };
}

/** The theme, read again when JupyterLab switches it. */
export function useTheme(): IChartTheme {
  const [theme, setTheme] = useState(() => readTheme());
  useEffect(() => {
    // The attributes change before the new style sheet is in force: read once now and once when it has loaded.
    let timer = 0;
    const update = (): void => {
      setTheme(readTheme());
      window.clearTimeout(timer);
      timer = window.setTimeout(() => setTheme(readTheme()), 300);
    };
    const observer = new MutationObserver(update);
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
    });
    return () => {
      observer.disconnect();
      window.clearTimeout(timer);
    };
  }, []);
  return theme;
}
