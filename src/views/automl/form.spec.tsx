import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { type Mock, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Finding, NewAutoML } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { someColumn, someTable } from '../../testing/automl';
import { TestServer, refused } from '../../testing/server';
import { CommandIDs, type Execute } from '../../tokens';
import { AutoMLForm } from './form';

async function click(element: HTMLElement): Promise<void> {
  fireEvent.click(element);
  await act(async () => void (await Promise.resolve()));
}

function choose(label: string, value: string): void {
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
}

describe('the wizard', () => {
  let server: TestServer;
  let studio: StudioModel;
  let execute: Mock<Execute>;

  beforeEach(() => {
    execute = vi.fn<Execute>(() => Promise.resolve(undefined));
    server = new TestServer({
      'GET experiments': () => [],
      'POST automl/preview': ({ body }) => someTable({ data: (body as { data: string }).data }),
      'POST automl/code': ({ body }) => {
        const { automl, format } = body as NewAutoML & { format: string };
        return { text: `${format} of ${automl.target} by ${automl.task ?? 'its values'}` };
      }
    });
    studio = server.studio();
  });

  const show = (data?: string): void => {
    render(<AutoMLForm studio={studio} execute={execute} {...(data ? { data } : {})} />);
  };

  it('begins with what it is for, and a file', async () => {
    show();
    expect(screen.getByText(/A table and a column to predict go in/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Find a model' })).toBeNull();
    execute.mockResolvedValueOnce('sales.csv');
    await click(screen.getByRole('button', { name: 'Choose a file …' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.chooseTable);
    expect(await screen.findByRole('table', { name: 'Columns' })).toBeTruthy();
    expect(server.asked.find(one => one.path === 'automl/preview')?.body).toEqual({ data: 'sales.csv' });
  });

  it('shows columns, takes the likely target, and writes the code', async () => {
    show('churn.csv');
    const table = await screen.findByRole('table', { name: 'Columns' });
    expect(screen.getByLabelText<HTMLSelectElement>('Target').value).toBe('churn');
    expect(within(table).getAllByRole('row')[1]?.textContent).toContain('4 1');
    expect(await screen.findByText('python of churn by its values', {}, { timeout: 3000 })).toBeTruthy();
    await click(screen.getByRole('button', { name: 'YAML' }));
    expect(await screen.findByText('yaml of churn by classification', {}, { timeout: 3000 })).toBeTruthy();
    await click(screen.getByRole('button', { name: 'Copy' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.copyText, { text: 'yaml of churn by classification' });
  });

  it('asks for time and horizon of a forecast, and says what is missing', async () => {
    show('churn.csv');
    await screen.findByRole('table', { name: 'Columns' });
    await click(screen.getByRole('radio', { name: /future of a series/ }));
    expect(screen.getByLabelText<HTMLSelectElement>('Time').value).toBe('day');
    choose('Horizon', '0');
    const start = screen.getByRole<HTMLButtonElement>('button', { name: 'Find a model' });
    expect(start.disabled).toBe(true);
    choose('Horizon', '7');
    expect(start.disabled).toBe(false);
    choose('Rows of a step', 'sum');
    expect(start.disabled).toBe(true);
    choose('Frequency', 'W');
    choose('Past of other columns', 'auto');
    await click(start);
    expect(execute).toHaveBeenLastCalledWith(CommandIDs.startAutoML, {
      request: {
        automl: {
          data: 'churn.csv',
          target: 'churn',
          task: 'forecasting',
          limits: { timeout_s: 300 },
          forecasting: {
            time_column_name: 'day',
            forecast_horizon: 7,
            frequency: 'W',
            target_aggregate_function: 'sum',
            feature_lags: 'auto'
          }
        }
      }
    });
  });

  it('starts with limits, models and types, and shows what was refused', async () => {
    show('churn.csv');
    await screen.findByRole('table', { name: 'Columns' });
    choose('Minutes', '2');
    choose('What tenure is taken for', 'Categorical');
    await click(screen.getByRole('checkbox', { name: 'SVM' }));
    await click(screen.getByRole('checkbox', { name: /ONNX only/ }));
    execute.mockResolvedValueOnce({
      error: { code: 'invalid', message: 'There is no column churn.', status: 400 }
    });
    await click(screen.getByRole('button', { name: 'Find a model' }));
    expect(execute).toHaveBeenLastCalledWith(CommandIDs.startAutoML, {
      request: {
        automl: {
          data: 'churn.csv',
          target: 'churn',
          limits: { timeout_s: 120 },
          featurization: { mode: 'custom', column_name_and_types: { tenure: 'Categorical' } },
          training: { blocked_training_algorithms: ['SVM'], enable_onnx_compatible_models: false }
        }
      }
    });
    expect(await screen.findByText('There is no column churn.')).toBeTruthy();
  });

  it('asks what a run would find, and begins none that would end at once', async () => {
    const what = "the target 'churn' has one value only";
    const error = {
      code: 'one_class',
      severity: 'error',
      what,
      done: '',
      remedy: 'choose another',
      columns: ['churn']
    };
    show('churn.csv');
    await screen.findByRole('table', { name: 'Columns' });
    const start = screen.getByRole<HTMLButtonElement>('button', { name: 'Find a model' });
    server.set('POST automl/preview', () => someTable({ data: 'churn.csv', findings: [error as Finding] }));
    await click(screen.getByRole('radio', { name: /^Classes/ }));
    await waitFor(() => expect(start.disabled).toBe(true), { timeout: 3000 });
    expect(screen.getByRole('list', { name: 'Findings' }).textContent).toContain(what);
    expect(screen.getByText(`${what}: choose another`)).toBeTruthy();
    expect(server.asked.filter(one => one.path === 'automl/preview').at(-1)?.body).toEqual({
      data: 'churn.csv',
      target: 'churn',
      automl: { data: 'churn.csv', target: 'churn', task: 'classification' }
    });
    server.set('POST automl/preview', () => someTable({ data: 'churn.csv', target: 'day' }));
    choose('Target', 'tenure');
    await waitFor(() => expect(start.disabled).toBe(false), { timeout: 3000 });
  });

  it('offers the two classes of a target, and forgets the one chosen with another target', async () => {
    show('churn.csv');
    await screen.findByRole('table', { name: 'Columns' });
    expect(screen.getByLabelText('Positive label').tagName).toBe('SELECT');
    choose('Positive label', 'yes');
    choose('Target', 'tenure');
    expect(screen.getByLabelText<HTMLInputElement>('Positive label').value).toBe('');
  });

  it('says why a table cannot be read, and tries again', async () => {
    server.set('POST automl/preview', () => refused(400, 'invalid', 'Row 3 has 5 values, not 4.'));
    show('bad.csv');
    expect(await screen.findByText('Row 3 has 5 values, not 4.')).toBeTruthy();
    server.set('POST automl/preview', () => someTable({ data: 'bad.csv' }));
    await click(screen.getByRole('button', { name: 'Retry' }));
    expect(await screen.findByRole('table', { name: 'Columns' })).toBeTruthy();
  });

  it('takes a DataFrame of the notebook in front', async () => {
    show();
    execute.mockResolvedValueOnce({ notebook: 'a.ipynb', frames: [{ name: 'df', rows: 300, columns: 4 }] });
    await click(screen.getByRole('button', { name: 'From a notebook …' }));
    execute.mockResolvedValueOnce('automl-data/df.parquet');
    await click(await screen.findByRole('button', { name: /df/ }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.saveFrame, { name: 'df' });
    await waitFor(() =>
      expect(screen.getByLabelText<HTMLInputElement>('Table').value).toBe('automl-data/df.parquet')
    );
  });

  it('says why there are no DataFrames', async () => {
    show();
    execute.mockResolvedValueOnce({ error: 'Open a notebook with a running kernel first.' });
    await click(screen.getByRole('button', { name: 'From a notebook …' }));
    expect(await screen.findByText(/Open a notebook with a running kernel/)).toBeTruthy();
  });

  it('stays usable with thousands of columns and names that hide characters', async () => {
    const names = Array.from({ length: 2000 }, (_, index) => `c${index}`);
    const columns = [someColumn('evil\u202ename'), ...names.map(name => someColumn(name))];
    server.set('POST automl/preview', () => someTable({ columns, head: [], target: 'c7' }));
    show('churn.csv');
    const table = await screen.findByRole('table', { name: 'Columns' });
    expect(within(table).getByText('evil[U+202E]name')).toBeTruthy();
    expect(within(table).getAllByRole('row').length).toBeLessThan(100);
    choose('Filter columns by name', 'c1999');
    expect(within(table).getAllByRole('row')).toHaveLength(2);
    expect(screen.getByLabelText<HTMLInputElement>('Target').value).toBe('c7');
  });
});
