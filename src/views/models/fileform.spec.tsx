import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { TestServer } from '../../testing/server';
import { type FileRegistration, RegisterFileForm } from './fileform';
import { chosenError, filePathError, filePython, mayExecute, modelNameFor } from './filenames';

function open(path = ''): (FileRegistration | null)[] {
  const values: (FileRegistration | null)[] = [];
  const fields = { upload: false, path, name: '', alias: '', allowCode: false };
  const studio = new TestServer({
    'GET models': () => [{ name: 'risk', versions: [1], aliases: {} }]
  }).studio();
  render(<RegisterFileForm studio={studio} initial={{ fields }} onChange={value => values.push(value)} />);
  return values;
}

describe('the form that registers a file', () => {
  it('takes a file of the workspace and suggests its name', async () => {
    const values = open('models/risk.onnx');
    await screen.findByText('Becomes version 2 of this model.');
    expect(values.at(-1)?.request).toEqual({ name: 'risk', file: 'models/risk.onnx' });
    fireEvent.change(screen.getByLabelText('File or folder'), { target: { value: '/etc/x.onnx' } });
    expect(values.at(-1)).toBeNull();
    expect(screen.getByText(/without a slash in front/)).toBeTruthy();
  });

  it('keeps a name that was typed', () => {
    open('models/risk.onnx');
    fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'mine' } });
    fireEvent.change(screen.getByLabelText('File or folder'), { target: { value: 'other.onnx' } });
    expect(screen.getByLabelText<HTMLInputElement>('Name').value).toBe('mine');
  });

  it('asks before what may execute code is loaded', () => {
    const values = open('risk.onnx');
    expect(screen.queryByLabelText(/may execute code/)).toBeNull();
    fireEvent.change(screen.getByLabelText('File or folder'), { target: { value: 'risk.pkl' } });
    expect(values.at(-1)?.request.allow_code).toBeUndefined();
    fireEvent.click(screen.getByLabelText(/may execute code/));
    expect(values.at(-1)?.request.allow_code).toBe(true);
    fireEvent.change(screen.getByLabelText('File or folder'), { target: { value: 'risk.onnx' } });
    expect(values.at(-1)?.request.allow_code).toBeUndefined();
  });

  it('takes files of this computer', async () => {
    const values = open();
    fireEvent.click(screen.getByLabelText('This computer'));
    expect(values.at(-1)).toBeNull();
    const file = new File(['x'], 'forest.onnx');
    fireEvent.change(screen.getByLabelText('File'), { target: { files: [file] } });
    await waitFor(() => expect(values.at(-1)?.request).toEqual({ name: 'forest' }));
    expect(values.at(-1)?.files).toEqual([file]);
    const below = new File(['x'], 'model.onnx');
    Object.defineProperty(below, 'webkitRelativePath', { value: 'risk/data/model.onnx' });
    expect(screen.getByLabelText('Or a folder').hasAttribute('webkitdirectory')).toBe(true);
    fireEvent.change(screen.getByLabelText('Or a folder'), { target: { files: [below] } });
    await waitFor(() => expect(values.at(-1)?.request).toEqual({ name: 'risk' }));
    expect(screen.getByText('data/model.onnx')).toBeTruthy();
  });
});

describe('a file', () => {
  it('of an archive or HDF5 is not registered', () => {
    expect(filePathError('model.h5')).toContain('not registered');
    expect(chosenError([{ name: 'model.zip' }])).toContain('model.zip');
    expect(chosenError([])).toBe('Choose a file.');
    expect(filePathError('folder')).toBeNull();
  });

  it('gives the model its name, or its folder does', () => {
    expect(modelNameFor('a/risk.onnx')).toBe('risk');
    expect(modelNameFor('risk/model.onnx')).toBe('risk');
    expect(modelNameFor('')).toBe('');
  });

  it('of some forms may execute code', () => {
    expect(['a.pkl', 'b.PT', 'c.keras'].every(mayExecute)).toBe(true);
    expect(['a.onnx', 'b.skops', 'c.ubj'].some(mayExecute)).toBe(false);
  });

  it('is registered by a line of Python too', () => {
    expect(filePython({ name: 'risk', file: 'a.pkl', allow_code: true })).toBe(
      'jupyter_mlstudio.register_model(name="risk", path="a.pkl", allow_code=True)'
    );
  });
});
