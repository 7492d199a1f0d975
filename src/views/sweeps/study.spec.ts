import { describe, expect, it } from 'vitest';

import { FALLBACK_THEME } from '../../charts/theme';
import { someSweep, someTrial } from '../../testing/sweep';
import { edfFigure, historyFigure, stepsFigure, timelineFigure } from './figures';
import { brushed, drawnLines, lanesOf, linesOf, nearestLine, shadesOf } from './lanes';
import { type Spot, dots, fewer } from './look';
import { contourFigure, hypervolumeFigure, paretoFigure, rankFigure, sliceFigure } from './relations';
import { studyOf } from './study';
import { durationOf, sortedTrials } from './trials';

const theme = FALLBACK_THEME;
const pruned = someTrial(3, { state: 'PRUNED', values: [null], steps: [[1, 0.2]], reason: 'pruned' });
const failed = someTrial(4, { state: 'FAIL', values: [null], reason: 'not a finite number: nan' });
const odd = someTrial(5, { values: ['NaN'] });
const unfit = someTrial(9, { feasible: false });
const trials = [0, 1, 2].map(number => someTrial(number)).concat(pruned, failed, odd, someTrial(6), unfit);
const study = studyOf(someSweep(), trials);
const [lr, depth, act] = study.params;

describe('what counts in a sweep', () => {
  it('is complete and finite, and the best one is feasible', () => {
    expect(study.complete.map(trial => trial.number)).toEqual([0, 1, 2, 6, 9]);
    expect(study.best).toBe(6);
    const down = someSweep();
    down.spec.objectives[0]!.goal = 'minimize';
    expect(studyOf(down, trials).best).toBe(0);
  });

  it('is drawn over axes that follow the space', () => {
    expect(study.params.map(axis => [axis.name, axis.log, axis.words])).toEqual([
      ['lr', true, null],
      ['depth', false, null],
      ['act', false, ['relu', 'tanh']]
    ]);
    expect([lr!.at(trials[1]!), act!.at(trials[1]!)]).toEqual([0.002, 1]);
  });

  it('knows the parameters within choices, and those that a function asked for itself', () => {
    const sweep = someSweep();
    sweep.spec.space = {
      model: {
        type: 'choice',
        values: [{ name: 'svm', C: { type: 'loguniform', min_value: -3, max_value: 3 } }]
      }
    };
    sweep.control.space = sweep.spec.space;
    const own = studyOf(sweep, [someTrial(0, { params: { model: 'svm', C: 2, extra: true } })]);
    expect(own.params.map(axis => [axis.name, axis.log, axis.words])).toEqual([
      ['model', false, ['svm']],
      ['C', true, null],
      ['extra', false, ['true']]
    ]);
  });
});

describe('the figures', () => {
  it('show the best so far as steps over feasible trials, to the newest one', () => {
    const figure = historyFigure(study, 0, theme);
    const line = figure.data.at(-1)!;
    expect([line['x'], line['y']]).toEqual([
      [0, 1, 2, 6, 9],
      [0, 0.1, 0.2, 0.6, 0.6]
    ]);
    expect(figure.owners[0]).toEqual([0, 1, 2, 3, 6, 9]);
    expect(figure.places(pruned)).toEqual([{ x: 3, y: 0.2 }]);
    expect(figure.table.rows).toEqual([
      [0, 0, 0],
      [1, 0.1, 0.1],
      [2, 0.2, 0.2],
      [6, 0.6, 0.6]
    ]);
  });

  it('show the share of trials up to each value', () => {
    const figure = edfFigure(study, 0, theme);
    expect(figure.table.rows).toEqual([
      [0, 0.2],
      [0.1, 0.4],
      [0.2, 0.6],
      [0.6, 0.8],
      [0.9, 1]
    ]);
    expect(figure.places(trials[2]!)).toEqual([{ x: 0.2, y: 0.6 }]);
  });

  it('mark a trial in each slice, and find its dot again', () => {
    const figure = sliceFigure(study, 0, [lr!, depth!], theme, 2);
    expect(figure.places(trials[2]!)).toEqual([
      { x: 0.003, y: 0.2, xaxis: 'xaxis', yaxis: 'yaxis' },
      { x: 4, y: 0.2, xaxis: 'xaxis2', yaxis: 'yaxis2' }
    ]);
    expect(figure.owners).toEqual([
      [0, 1, 2, 6, 9],
      [0, 1, 2, 6, 9]
    ]);
    expect((figure.layout['xaxis'] as { type: string }).type).toBe('log');
  });

  it('have heights between numbers, and say why there are none between words', () => {
    const figure = contourFigure(study, 0, lr!, depth!, theme);
    expect(figure.data[0]!['type']).toBe('contour');
    const z = (figure.data[0]!['z'] as number[][]).flat();
    expect(Math.min(...z)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...z)).toBeLessThanOrEqual(0.9);
    expect(contourFigure(study, 0, lr!, act!, theme).note).toBe('no heights between words');
    expect(rankFigure(study, 0, lr!, act!, theme).owners[0]).toEqual([0, 1, 2, 6, 9]);
  });

  it('draw each trial that began as a bar, and what it reported as a line', () => {
    const bars = timelineFigure(study, theme, 0);
    expect(bars.summary).toBe('6 complete, 1 pruned, 1 failed');
    expect(stepsFigure(study, theme).table.rows).toEqual([[3, 1, 0.2]]);
  });

  it('of several objectives show the front and what it covers', () => {
    const sweep = someSweep({ front: [0, 1] });
    sweep.spec.objectives.push({ primary_metric: 'latency', goal: 'minimize', value: 'last' });
    const both = studyOf(sweep, [
      someTrial(0, { values: [0.9, 10] }),
      someTrial(1, { values: [0.8, 5] }),
      someTrial(2, { values: [0.7, 20] }),
      someTrial(3, { values: [0.7, null] })
    ]);
    expect(paretoFigure(both, 0, 1, theme).note).toBe('2 trials on the front');
    const volume = hypervolumeFigure(both, theme);
    // From (0.7, 20): 0.2 x 10, and 0.1 x 5 more.
    expect(volume.table.rows.map(row => Number(row[1]).toFixed(6))).toEqual([
      '2.000000',
      '2.500000',
      '2.500000'
    ]);
    expect(volume.note).toBe('from the worst seen, 0.7, 20');
  });
});

describe('many dots', () => {
  const many = Array.from({ length: 5000 }, (_, at): Spot => ({
    trial: at,
    x: at,
    y: at % 7,
    good: at / 5000
  }));

  it('are a few paths whose points still belong to their trials', () => {
    const drawn = dots(many, theme);
    expect(drawn.traces.length).toBeLessThan(10);
    const at = drawn.owners[2]!.indexOf(2500);
    expect((drawn.traces[2]!['x'] as number[])[at]).toBe(2500);
  });

  it('are thinned out, but never the best', () => {
    const fewest = fewer(many, 300, spot => spot.good > 0.99);
    expect(fewest.length).toBe(300);
    expect(fewest.filter(spot => spot.good > 0.99)).toHaveLength(49);
  });
});

describe('parallel coordinates', () => {
  const lanes = lanesOf(study);
  const lines = linesOf(study, lanes);

  it('place numbers by size, words evenly, and the objective at the right', () => {
    expect(lanes.map(lane => lane.name)).toEqual(['lr', 'depth', 'act', 'val_auc']);
    expect(lines[0]).toEqual({ trial: 0, places: [0, 0, 0, 0] });
    expect(lines[1]!.places[0]).toBeCloseTo(Math.log10(2) / Math.log10(10));
    expect(lanes[2]!.ticks).toEqual([
      { place: 0, text: 'relu' },
      { place: 1, text: 'tanh' }
    ]);
  });

  it('choose the trials in all ranges', () => {
    expect(brushed(study, lanes, {})).toBeNull();
    const chosen = brushed(study, lanes, { 'o 0': [0.1, 1], 'p act': [0, 0.4] });
    expect([...chosen!]).toEqual([2, 6]);
    const groups = shadesOf(lines, new Map(), chosen, study.best);
    expect(groups.map(group => [group.faint, group.best, group.lines.map(line => line.trial)])).toEqual([
      [true, false, [0, 1, 9]],
      [false, false, [2]],
      [false, true, [6]]
    ]);
  });

  it('find the line under the pointer', () => {
    expect(nearestLine(lines, 2.5, 0.01, 0.05)).toBe(0);
    expect(nearestLine(lines, 3, 0.66, 0.05)).toBe(6);
    expect(nearestLine(lines, 1.5, 0.75, 0.02)).toBeNull();
  });

  it('draw of very many lines a part, the best among them', () => {
    const many = Array.from({ length: 4000 }, (_, trial) => ({ trial, places: [0, 1] }));
    const good = new Map(many.map(line => [line.trial, line.trial / 4000]));
    const drawn = drawnLines(many, good, null);
    expect(drawn).toHaveLength(1500);
    expect(drawn.some(line => line.trial === 3999)).toBe(true);
  });
});

describe('the table of trials', () => {
  it('sorts with missing values last both ways', () => {
    const by = (descending: boolean): number[] =>
      sortedTrials(study, trials, { column: 'o 0', descending }).map(trial => trial.number);
    expect(by(true)).toEqual([9, 6, 2, 1, 0, 3, 4, 5]);
    expect(by(false)).toEqual([0, 1, 2, 6, 9, 3, 4, 5]);
    expect(durationOf(trials[0]!)).toBe(12);
  });
});
