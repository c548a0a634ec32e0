/**
 * Claims keys; the same claim again is the same. An insert wins a key that is new. A key is also taken that is older than $3 seconds, which is a new call,
 * and one whose attempt has gone silent, which is the same call again. Of two that ask at one moment one gets nothing
 * here: the other's row is not in this statement's snapshot.
 */
export const BEGIN = `
WITH asked AS (
  SELECT * FROM json_to_recordset($1::json) AS a(key text, fingerprint text, claim uuid, seed uuid)
), claimed AS (
  INSERT INTO keyed_call AS call (key, fingerprint, claim, seed, claimed_until)
  SELECT key, fingerprint, claim, seed, now() + make_interval(secs => $2) FROM asked ORDER BY key
  ON CONFLICT (key) DO UPDATE SET
    claim = excluded.claim, claimed_until = excluded.claimed_until, fingerprint = excluded.fingerprint, answer = NULL,
    seed = CASE WHEN call.begun_at < now() - make_interval(secs => $3) THEN excluded.seed ELSE call.seed END,
    begun_at = CASE WHEN call.begun_at < now() - make_interval(secs => $3) THEN now() ELSE call.begun_at END
  WHERE (call.begun_at < now() - make_interval(secs => $3) AND call.claimed_until < now())
     OR (call.answer IS NULL AND call.claimed_until < now() AND call.fingerprint = excluded.fingerprint)
     OR (call.answer IS NULL AND call.claim = excluded.claim)
  RETURNING key, seed
)
SELECT a.key, c.seed, a.seed <> c.seed AS again, k.answer, k.fingerprint = a.fingerprint AS same
FROM asked a LEFT JOIN claimed c USING (key) LEFT JOIN keyed_call k USING (key)`;

/** Keeps answers, renews claims by $2 seconds, and forgets what was had no effect. A claim that was taken over changes nothing. */
export const SETTLE = `
WITH settled AS (
  SELECT * FROM json_to_recordset($1::json) AS s(key text, claim uuid, "as" text, answer json)
), forgotten AS (
  DELETE FROM keyed_call c USING settled s WHERE s."as" = 'forgotten' AND c.key = s.key AND c.claim = s.claim
)
UPDATE keyed_call c
SET answer = CASE WHEN s."as" = 'answered' THEN s.answer END,
    claimed_until = CASE WHEN s."as" = 'under_way' THEN now() + make_interval(secs => $2) ELSE now() END
FROM settled s WHERE s."as" <> 'forgotten' AND c.key = s.key AND c.claim = s.claim`;

/** Forgets at most $2 calls that began more than $1 seconds ago and are not under way. */
export const FORGET = `
DELETE FROM keyed_call WHERE key IN (
  SELECT key FROM keyed_call
  WHERE begun_at < now() - make_interval(secs => $1) AND claimed_until < now()
  ORDER BY begun_at LIMIT $2 FOR UPDATE SKIP LOCKED)`;
