/** A partition of a topic. */
export interface Slot {
  readonly topic: string;
  readonly partition: number;
}

export interface Candidate {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it has already. */
  readonly owned: readonly Slot[];
}

/**
 * Shares partitions among members: none has more than one above another's, and each keeps what it has as far as
 * that allows. Members subscribe to the same topics, as instances of one service do.
 */
export function assign(slots: readonly Slot[], members: readonly Candidate[]): Map<string, Slot[]> {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const free = new Map(slots.map(slot => [nameOf(slot), slot]));
  const share = Math.floor(slots.length / ordered.length);
  let larger = slots.length % ordered.length;
  const shares = new Map<string, Slot[]>();
  // Those that have most come first: the few shares that are larger by one go to them, and less moves.
  for (const { memberId, owned } of [...ordered].sort((a, b) => b.owned.length - a.owned.length)) {
    const mine = owned.flatMap(slot => free.get(nameOf(slot)) ?? []);
    const most = share + (mine.length > share && larger > 0 ? 1 : 0);
    if (most > share) larger -= 1;
    const kept = mine.slice(0, most);
    for (const slot of kept) free.delete(nameOf(slot));
    shares.set(memberId, kept);
  }
  for (const slot of free.values()) {
    const least = ordered
      .map(({ memberId }) => shares.get(memberId)!)
      .reduce((a, b) => (b.length < a.length ? b : a));
    least.push(slot);
  }
  return shares;
}

function nameOf({ topic, partition }: Slot): string {
  return `${topic}/${partition}`;
}
