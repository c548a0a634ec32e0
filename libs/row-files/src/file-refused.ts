import { DomainError } from '#messaging/message';

/** The file as a whole cannot be read as rows. */
export class FileRefused extends DomainError {
  readonly code = 'unreadable_file';
}
