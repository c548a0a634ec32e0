/** Its gateway would have said something by now, if it were still there: it waits for less time than this. */
export const SILENT = "status = 'receiving' AND heard_at < now() - interval '10 minutes'";
export const FELL_SILENT = 'nothing arrived for 10 minutes; send it again';
