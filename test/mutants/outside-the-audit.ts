import {
  BlockBuyer,
  ClosePublication,
  ConfirmReceipt,
  CreateCampaign,
  GetCampaign,
  getNaiveBooks,
  GetOrder,
  GetPoints,
  GetProduct,
  GetPublication,
  GetRecommendations,
  GetStatistics,
  GrantTokens,
  ListBuckets,
  ListCampaigns,
  ListNotices,
  ListOrders,
  ListProducts,
  ListRejectedRows,
  NAIVE_STEPS,
  NaiveCheckRisk,
  NaiveCount,
  NaiveSendText,
  NaiveTakeStock,
  NaiveWriteOrder,
  OpenPublication,
  TellDecisions,
  TellTime,
  RemoveBucket,
  SetBucket,
} from '#contracts';

/** Handlers of messages that keep no books, and why. */
export const WITHOUT_BOOKS: Readonly<Record<string, string>> = {
  'gateway.stock-news <- seckill.sold-out.v1':
    'memory of one process: it saves a question, and decides nothing',
  'gateway.stock-news <- seckill.restocked.v1': 'the same; what it misses is asked about again',
  'seckill.decide-requested <- seckill.requested.v1':
    'a click that is not decided is refused at its deadline; what it reserves is in the books of any click',
  'gateway.hear-hot-items <- recommendation.hot-items-listed.v1':
    'memory of one process, renewed every 5 seconds while anything is hot',
  'gateway.hear-product-changes <- catalog.products-changed.v1':
    'it drops copies, which are a few seconds old at most anyway',
  'recommendation.count-interest <- behaviour.product-viewed.v1':
    'a sketch of the last minute, forgotten after it: it is known to its error',
  'recommendation.count-interest <- order.placed.v1': 'the same',
  'gateway.hear-buckets <- seckill.bucket-changed.v1':
    'the same: it saves waiting for the next list of buckets',
  'gateway.hear-services <- service.announced.v1': 'memory of one process, renewed every 30 seconds',
};

/** Requests that change nothing. */
export const READS: readonly string[] = [
  GetProduct,
  ListProducts,
  GetPublication,
  ListRejectedRows,
  GetCampaign,
  ListCampaigns,
  GetOrder,
  ListOrders,
  GetPoints,
  ListNotices,
  GetRecommendations,
  GetStatistics,
  TellTime,
  ...NAIVE_STEPS.map(getNaiveBooks),
  ListBuckets,
].map(({ type }) => type);

/**
 * Requests that no other service has a record of, and what shows their failure. In the same way, no book can show that
 * any request was answered and not done at all: whoever asked finds out.
 */
export const SEEN_BY_THE_CALLER: Readonly<Record<string, string>> = {
  [OpenPublication.type]: 'the next part is refused',
  [ClosePublication.type]: 'the publication is broken after ten minutes of silence',
  [CreateCampaign.type]: 'the campaign is not found',
  [GrantTokens.type]: 'calls are refused, or more of them are admitted than the limit allows',
  [SetBucket.type]: 'the limit is not in GET /api/admin/flow',
  [RemoveBucket.type]: 'the limit is still there',
  [BlockBuyer.type]: 'the buyer can still buy',
  [TellDecisions.type]: 'the click has no answer by its deadline, and one when it is asked again',
  ...Object.fromEntries(
    [NaiveCheckRisk, NaiveTakeStock, NaiveWriteOrder, NaiveSendText, NaiveCount].map(({ type }) => [
      type,
      'a step of the naive way, whose books are shown apart',
    ]),
  ),
  [ConfirmReceipt.type]: 'the order is not completed; nobody hears of completed orders',
};
