/** Whether 1/12/2010 is in December or in January. */
export type DateOrder = 'day-first' | 'month-first';

/** `2010-12-01`, with or without a time and an offset. */
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
/** `1/12/2010`, also with dots or dashes, with or without a time, of 24 hours or of twelve. */
const SLASHED =
  /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:,? (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([ap]m))?)?$/i;

/** Nothing in the file tells days from months, or some of it contradicts the rest. */
export class DateOrderUnknown extends Error {
  constructor(path: string) {
    super(`the dates of ${path} may be read in two ways; say --dates day-first or --dates month-first`);
  }
}

/**
 * The order in which a file has days and months: a first number over 12 is a day, a second one too. Dates that begin
 * with the year need none.
 * @returns undefined when nothing tells it, or the dates contradict each other
 */
export function orderOf(dates: Iterable<string>): DateOrder | undefined {
  let [dayFirst, monthFirst, isOpen] = [false, false, false];
  for (const text of dates) {
    const found = SLASHED.exec(text);
    if (found === null) continue;
    isOpen = true;
    if (Number(found[1]) > 12) dayFirst = true;
    if (Number(found[3]) > 12) monthFirst = true;
  }
  if (!isOpen) return 'month-first';
  if (dayFirst === monthFirst) return undefined;
  return dayFirst ? 'day-first' : 'month-first';
}

/** A date of the calendar, taken as UTC if it has no offset; undefined if it is none. */
export function readDate(text: string, order: DateOrder): Date | undefined {
  const iso = ISO.exec(text);
  if (iso !== null) return toDate([iso[1]!, iso[2]!, iso[3]!, iso[4], iso[5], iso[6]], iso[7]);
  const slashed = SLASHED.exec(text);
  if (slashed === null) return undefined;
  const [, one, , two, years, hour, minute, second, half] = slashed as unknown as string[];
  const [day, month] = order === 'day-first' ? [one!, two!] : [two!, one!];
  const year = years!.length === 2 ? `20${years}` : years!;
  return toDate([year, month, day, hourOf(hour, half), minute, second]);
}

/** The hour of a day of 24; one that does not exist for 13 PM. */
function hourOf(hour: string | undefined, half: string | undefined): string | undefined {
  if (half === undefined || hour === undefined) return hour;
  const number = Number(hour);
  if (number < 1 || number > 12) return '99';
  return String((number % 12) + (half.toLowerCase() === 'pm' ? 12 : 0));
}

type Parts = [string, string, string, string?, string?, string?];

function toDate(
  [year, month, day, hour = '0', minute = '0', second = '0']: Parts,
  offset = 'Z',
): Date | undefined {
  const two = (part: string) => part.padStart(2, '0');
  const local = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
  const date = new Date(`${local}Z`);
  // Not a day of the calendar, such as 30 February.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== local) return undefined;
  return offset === 'Z' ? date : new Date(`${local}${offset}`);
}
