export const INSERT_DEAD_LETTER = `
INSERT INTO messaging.dead_letter (id, subscription, topic, partition, position, key, headers, payload, reason, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

export const LIST_DEAD_LETTERS = `
SELECT id, subscription, topic, partition, position::float8 AS position, key, headers,
       encode(payload, 'base64') AS payload, reason, error, dead_at
FROM messaging.dead_letter ORDER BY dead_at DESC, id LIMIT $1`;
