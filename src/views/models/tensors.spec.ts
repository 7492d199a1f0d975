import { describe, expect, it } from 'vitest';

import { buildRequest, columnsOf, parseCell, readRequest, rowsOf, type Tensor } from './tensors';

const TABLE: Tensor[] = [{ name: 'x', datatype: 'FP64', shape: [-1, 3] }];
const MIXED: Tensor[] = [
  { name: 'age', datatype: 'INT64', shape: [-1, 1] },
  { name: 'income', datatype: 'FP32', shape: [-1] },
  { name: 'city', datatype: 'BYTES', shape: [-1, 1] },
  { name: 'member', datatype: 'BOOL', shape: [-1, 1] }
];

function columns(inputs: Tensor[]) {
  const found = columnsOf(inputs);
  if (!found) {
    throw new Error('no table');
  }
  return found;
}

describe('columns of a signature', () => {
  it('has one column per named input', () => {
    expect(columns(MIXED).map(one => one.label)).toEqual(['age', 'income', 'city', 'member']);
  });

  it('numbers the columns of one wide input', () => {
    expect(columns(TABLE).map(one => one.label)).toEqual(['x[0]', 'x[1]', 'x[2]']);
  });

  it('takes the names of a matrix from its columns', () => {
    const inputs: Tensor[] = [{ name: 'X', datatype: 'FP64', shape: [-1, 2], columns: ['age', 'income'] }];
    expect(columns(inputs).map(one => one.label)).toEqual(['age', 'income']);
  });

  it('takes a width that is free from the sample', () => {
    const inputs: Tensor[] = [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }];
    const sample = readRequest({
      inputs: [{ name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }]
    });
    expect(columnsOf(inputs, sample)).toHaveLength(2);
    expect(columnsOf(inputs)).toBeNull();
  });

  it('is no table for an image', () => {
    expect(columnsOf([{ name: 'pixels', datatype: 'FP32', shape: [-1, 3, 8, 8] }])).toBeNull();
  });
});

describe('rows of a sample', () => {
  it('reads flat and nested data alike', () => {
    const flat = readRequest({
      inputs: [{ name: 'x', shape: [2, 3], datatype: 'FP64', data: [1, 2, 3, 4, 5, 6.5] }]
    });
    const nested = readRequest({
      inputs: [{ name: 'x', shape: [2, 3], datatype: 'FP64', data: [[1, 2, 3], [4, 5, 6.5]] }] // prettier-ignore
    });
    const expected = [
      ['1', '2', '3'],
      ['4', '5', '6.5']
    ];
    expect(flat && rowsOf(columns(TABLE), TABLE, flat)).toEqual(expected);
    expect(nested && rowsOf(columns(TABLE), TABLE, nested)).toEqual(expected);
  });

  it('is no request without inputs', () => {
    expect(readRequest(null)).toBeNull();
    expect(readRequest({ inputs: 'no' })).toBeNull();
    expect(readRequest([1])).toBeNull();
  });
});

describe('a cell', () => {
  it.each([
    ['FP64', '1e-3', 0.001],
    ['FP32', ' 2.5 ', 2.5],
    ['INT64', '-12', -12],
    ['UINT8', '255', 255],
    ['BOOL', 'True', true],
    ['BYTES', ' as it is ', ' as it is ']
  ])('of %s reads %j', (datatype, text, value) => {
    expect(parseCell(text, datatype)).toEqual({ value });
  });

  it.each([
    ['FP64', '', 'needs a value'],
    ['FP64', 'NaN', 'FP64 takes a finite number'],
    ['FP32', '1e39', 'FP32 goes up to 3.4028234663852886e+38'],
    ['INT64', '1.9', 'INT64 takes a whole number'],
    ['UINT8', '300', 'UINT8 goes from 0 to 255'],
    ['UINT8', '-1', 'UINT8 goes from 0 to 255'],
    ['INT64', '9223372036854775808', 'INT64 goes from -9223372036854775808 to 9223372036854775807'],
    ['INT64', '9007199254740993', 'a browser sends whole numbers up to 2^53 only'],
    ['BOOL', '1', 'BOOL takes true or false'],
    ['FP31', '1', 'FP31 can only be sent as JSON']
  ])('of %s refuses %j', (datatype, text, message) => {
    expect(parseCell(text, datatype)).toEqual({ message });
  });
});

describe('a request', () => {
  it('holds one tensor per input, flat, with the number of rows', () => {
    const rows = [
      ['41', '1200.5', 'Ulm', 'true'],
      ['29', '900', '', 'false']
    ];
    expect(buildRequest(columns(MIXED), MIXED, rows)).toEqual({
      request: {
        inputs: [
          { name: 'age', shape: [2, 1], datatype: 'INT64', data: [41, 29] },
          { name: 'income', shape: [2], datatype: 'FP32', data: [1200.5, 900] },
          { name: 'city', shape: [2, 1], datatype: 'BYTES', data: ['Ulm', ''] },
          { name: 'member', shape: [2, 1], datatype: 'BOOL', data: [true, false] }
        ]
      }
    });
  });

  it('sends an empty cell as a missing number where the sample allows it', () => {
    const inputs: Tensor[] = [{ name: 'x', datatype: 'FP64', shape: [-1, 2] }];
    const sample = readRequest({
      inputs: [
        { name: 'x', shape: [1, 2], datatype: 'FP64', parameters: { allow_null: true }, data: [null, 2] }
      ]
    });
    const found = columnsOf(inputs, sample) ?? [];
    expect(sample && rowsOf(found, inputs, sample)).toEqual([['', '2']]);
    expect(buildRequest(found, inputs, [['', '2']])).toEqual({ request: sample });
    expect(buildRequest(columns(inputs), inputs, [['', '2']])).toHaveProperty('errors');
  });

  it('says which cells are wrong', () => {
    expect(buildRequest(columns(TABLE), TABLE, [['1', 'two', '3']])).toEqual({
      errors: [{ row: 0, column: 1, message: 'FP64 takes a finite number' }]
    });
  });

  it('comes back as the same rows', () => {
    const rows = [['1', '2', '3']];
    const built = buildRequest(columns(TABLE), TABLE, rows);
    expect('request' in built && rowsOf(columns(TABLE), TABLE, built.request)).toEqual(rows);
  });
});
