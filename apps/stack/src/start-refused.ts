/** A start that cannot succeed: one line for the person, exit code 1. */
export class StartRefused extends Error {}
