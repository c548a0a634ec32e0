/** The parsed configuration of the running service. */
export const SERVICE_CONFIG = Symbol('sluice.config');
