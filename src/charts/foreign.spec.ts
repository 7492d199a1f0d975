import { describe, expect, it } from 'vitest';

import { foreignFigure } from './foreign';

describe('a figure that user code logged', () => {
  it('fetches nothing', () => {
    const { figure, removed } = foreignFigure({
      data: [{ type: 'scatter', x: [1], y: [2], xsrc: 'user:1:2' }],
      layout: {
        images: [{ source: 'https://evil.example/a.png' }],
        template: { layout: { images: [{ source: 'http://evil.example' }] } },
        updatemenus: [
          { buttons: [{ method: 'relayout', args: [{ 'images[0].source': 'https://evil.example' }] }] }
        ]
      }
    });
    expect(JSON.stringify(figure)).not.toContain('evil');
    expect(removed).toBe(4);
  });

  it('has no links and no styles in its texts', () => {
    const { figure } = foreignFigure({
      data: [
        { type: 'bar', name: '<a href="https://evil.example">x</a><b>bold</b><span style="x">y</span>' }
      ],
      layout: { title: { text: '<img src=x>' } }
    });
    expect(figure.data[0]!['name']).toBe(
      '&lt;a href="https://evil.example">x&lt;/a><b>bold</b>&lt;span style="x">y&lt;/span>'
    );
    expect(JSON.stringify(figure.layout)).not.toContain('<img');
  });

  it('names the trace types that are not drawn', () => {
    const { figure, undrawn } = foreignFigure({
      data: [{ type: 'surface', z: [[1]] }, { y: [1] }],
      layout: {}
    });
    expect(undrawn).toEqual(['surface']);
    expect(figure.data).toHaveLength(1);
  });

  it('that is nonsense is an empty figure', () => {
    expect(foreignFigure({ data: 'no', layout: null }).figure).toEqual({ data: [], layout: {} });
  });
});
