import { z } from 'zod';
import { defineEvent, defineRequest, type EventOf } from '#messaging/message';
import { Count, Text } from '../values.js';

/** `campaign:<id>`, or `route:` and the route's name. */
export const BucketName = z
  .string()
  .regex(
    /^[a-z][a-z\d-]{0,31}:[a-z\d-]{1,64}$/,
    'the name of a bucket is such as route:orders or campaign:<id>',
  );
/** Tokens a second: from one in about three hours up. */
export const TokenRate = z.number().min(0.0001).max(1_000_000);
export const BucketCapacity = z.int().min(1).max(1_000_000_000);
export const AdaptiveRate = z
  .object({ min: TokenRate, max: TokenRate })
  .refine(({ min, max }) => min <= max, 'min is above max');

const Spec = z.object({
  ratePerSecond: TokenRate,
  capacity: BucketCapacity,
  /** Where the rate follows what is completed: its bounds. */
  adaptive: AdaptiveRate.nullable(),
});

export const BucketView = Spec.extend({
  name: BucketName,
  /** Grows with every change of any bucket. */
  version: z.int(),
  /** Unspent tokens that nobody holds, and those that gateways hold. */
  level: z.int(),
  held: z.int(),
  /** Calls, as far as gateways have reported them. */
  admitted: z.int(),
  refused: z.int(),
  gateways: z.int(),
});
export type BucketView = z.output<typeof BucketView>;

/** The most asks in one request. */
const MAX_TOKEN_ASKS = 500;
const Calls = z.int().nonnegative();

/** Gateways ask for blocks of tokens, and report what became of those that they had. */
export const GrantTokens = defineRequest({
  type: 'seckill.grant-tokens.v1',
  schema: z.object({
    asks: z
      .array(
        z.object({
          bucket: BucketName,
          holder: Text.min(1).max(64),
          number: z.int().positive(),
          holding: Calls,
          want: Count,
          admitted: Calls,
          refused: Calls,
          completed: Calls,
          overloaded: Calls,
        }),
      )
      .min(1)
      .max(MAX_TOKEN_ASKS),
  }),
  /** One for each ask, in their order; `null` where there is no such bucket. */
  reply: z.object({
    grants: z.array(
      z
        .object({ tokens: Calls, againMs: z.number().nonnegative(), tokenMs: z.number().nonnegative() })
        .nullable(),
    ),
  }),
});

/** Creates a bucket, or changes it from now on. */
export const SetBucket = defineRequest({
  type: 'seckill.set-bucket.v1',
  schema: Spec.extend({ name: BucketName }),
  reply: BucketView,
});

export const RemoveBucket = defineRequest({
  type: 'seckill.remove-bucket.v1',
  schema: z.object({ name: BucketName }),
  /** The version of the change; `null` if there was no such bucket. */
  reply: z.object({ version: z.int().nullable() }),
});

export const ListBuckets = defineRequest({
  type: 'seckill.list-buckets.v1',
  schema: z.object({}),
  reply: z.object({ buckets: z.array(BucketView) }),
});

/** A limit of the flow exists from now on, was changed, or is gone. The one with the higher version is right. */
export const BucketChanged = defineEvent({
  type: 'seckill.bucket-changed.v1',
  topic: 'seckill-flow',
  key: event => event.name,
  schema: z.object({ name: BucketName, version: z.int(), removed: z.boolean() }),
});
export type BucketChanged = EventOf<typeof BucketChanged>;
