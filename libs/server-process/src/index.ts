export { inheritedEnvironment } from './inherited-environment.js';
export { freePorts, holdFreePort, holdPort, letGo, OWN_PORTS } from './free-port.js';
export { endLeftover, isRunning, runProgram, ServerProcess, ServerStartError } from './server-process.js';
export { mapStacks } from './map-stacks.js';
