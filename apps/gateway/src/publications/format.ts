import { DomainError } from '#messaging';

const CHARSETS = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'utf-8',
  'windows-1252': 'windows-1252',
  'iso-8859-1': 'windows-1252',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
} as const;

/** What an upload says that it is. */
export interface Format {
  readonly kind: 'csv' | 'ndjson';
  readonly charset: (typeof CHARSETS)[keyof typeof CHARSETS];
}

export class UnsupportedMediaType extends DomainError {
  readonly code = 'unsupported_media_type';
  constructor(what: string) {
    super(
      `${what}; send the products as text/csv with a header line, or as application/x-ndjson, in UTF-8 and not compressed`,
    );
  }
}

/** @throws UnsupportedMediaType */
export function formatOf(contentType = '', contentEncoding = 'identity'): Format {
  const [type = '', ...parameters] = contentType.split(';').map(part => part.trim());
  const kind = { 'text/csv': 'csv', 'application/x-ndjson': 'ndjson' }[type.toLowerCase()];
  if (kind === undefined) throw new UnsupportedMediaType(`"${type}" is not a list of products`);
  if (contentEncoding.toLowerCase() !== 'identity')
    throw new UnsupportedMediaType(`a body in "${contentEncoding}" is not read`);
  const named = parameters
    .map(each => /^charset="?([^"]+)"?$/i.exec(each)?.[1])
    .find(each => each !== undefined);
  const charset = CHARSETS[(named ?? 'utf-8').toLowerCase() as keyof typeof CHARSETS];
  if (charset === undefined) throw new UnsupportedMediaType(`the charset "${named}" is not known`);
  return { kind: kind as Format['kind'], charset };
}
