import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { OnnxCheck } from '../../api/types';
import { OnnxMark } from './onnx';

const check: OnnxCheck = {
  ready: true,
  rows: 256,
  label_flips: 0,
  max_abs_difference: 1e-7,
  speedup: null,
  size_bytes: 0,
  reason: ''
};

describe('the mark of a model that was compared with its ONNX form', () => {
  it('says that it is the same, and all that was compared', () => {
    render(<OnnxMark check={check} />);
    const mark = screen.getByText('ONNX the same').parentElement!;
    expect(mark.title).toContain('0 other labels, largest');
  });

  it.each([
    [1, '1 tie differs', '1 other label where'],
    [2, '2 ties differ', '2 other labels where']
  ])('tells of ties that fell the other way: %d', (flips, words, more) => {
    render(<OnnxMark check={{ ...check, label_flips: flips }} />);
    const mark = screen.getByText(words).parentElement!;
    expect(mark.title).toContain(more);
  });

  it('says why there is none, or that there was no time', () => {
    const { rerender } = render(<OnnxMark check={{ ...check, ready: false, reason: 'loads not' }} />);
    expect(screen.getByText('loads not')).toBeTruthy();
    rerender(<OnnxMark check={null} late />);
    expect(screen.getByText('not checked')).toBeTruthy();
  });
});
