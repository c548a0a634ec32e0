export { freePorts } from './free-port.js';
export { endLeftover, isAlive, runProgram, ServerProcess, ServerStartError } from './server-process.js';
