export { cellsOf, type Columns, readCsv, type Row } from './csv.js';
export { FileRefused } from './file-refused.js';
export { readLines } from './lines.js';
export { readNdjson } from './ndjson.js';
