export { freePorts } from './free-port.js';
export { endLeftover, runProgram, ServerProcess, ServerStartError } from './server-process.js';
