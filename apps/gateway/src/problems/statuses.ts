/** The HTTP status of each error code. A code that is not listed is a conflict (409). */
const STATUS: Readonly<Record<string, number>> = {
  invalid_input: 400,
  invalid_request: 400,
  invalid_campaign: 422,
  invalid_callback: 400,
  invalid_idempotency_key: 400,
  invalid_token: 401,
  invalid_signature: 401,
  wrong_password: 401,
  demo_sign_in_off: 403,
  operators_only: 403,
  risk_rejected: 403,
  order_not_found: 404,
  campaign_not_found: 404,
  bucket_not_found: 404,
  product_not_found: 404,
  publication_not_found: 404,
  publication_closed: 409,
  wrong_publication_state: 409,
  not_enough_stock: 409,
  too_much_stock: 409,
  payment_not_found: 404,
  sold_out: 409,
  limit_reached: 409,
  wrong_order_state: 409,
  dead_letter_not_found: 404,
  not_replayable: 409,
  subscription_not_found: 404,
  ended: 410,
  unsupported_media_type: 415,
  call_under_way: 409,
  idempotency_key_reused: 422,
  lab_only: 422,
  amount_mismatch: 422,
  upload_broken: 422,
  unreadable_file: 422,
  upload_stalled: 408,
  not_started: 425,
  internal: 500,
  too_many_attempts: 429,
  too_many_requests: 429,
  busy: 503,
  unavailable: 503,
  payment_provider_unavailable: 503,
  expired: 504,
};

/** Every code with a status of its own. */
export const KNOWN_CODES: readonly string[] = Object.keys(STATUS);

/** The HTTP status of a domain error's code. */
export function statusOf(code: string): number {
  return STATUS[code] ?? 409;
}
