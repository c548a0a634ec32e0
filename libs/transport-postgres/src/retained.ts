// In a file of its own: the package's types must not need those of pg.
/** What a run of retention did. */
export interface Retained {
  readonly dropped: readonly string[];
  /** Days that could not be dropped, because someone reads them. */
  readonly busy: readonly string[];
}
