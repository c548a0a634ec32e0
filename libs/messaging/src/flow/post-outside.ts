/** What a server outside answered. */
export interface OutsideAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
  /** Where it says that something moved to. */
  readonly location: string | null;
}

/**
 * Posts to a server outside, and returns what it answered. A redirect is an answer like any other: following it would
 * send an empty GET, whose success says nothing of what was posted.
 * @throws what `fetch` throws, and the signal's reason
 */
export async function postOutside(
  url: string,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal: AbortSignal;
  },
): Promise<OutsideAnswer> {
  const response = await fetch(url, { method: 'POST', redirect: 'manual', ...request });
  const { ok, status } = response;
  return { ok, status, text: await response.text(), location: response.headers.get('location') };
}
