/** The two sides of every comparison: how it is often done, and how it is done here. */
export const ARMS = ['naive', 'ours'] as const;
export type Arm = (typeof ARMS)[number];

/** What sets how large an experiment is: counts by name. */
export type Size = Readonly<Record<string, number>>;
/** What was counted at the end of an arm, by name. */
export type Figures = Readonly<Record<string, number>>;
