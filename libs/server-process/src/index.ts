export { inheritedEnvironment } from './inherited-environment.js';
export { freePorts } from './free-port.js';
export { endLeftover, isRunning, runProgram, ServerProcess, ServerStartError } from './server-process.js';
