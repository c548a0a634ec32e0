// By itself, for whoever needs settings and nothing that reads them.
export {
  DatabaseConfig,
  databaseKeys,
  HttpConfig,
  OperatorPassword,
  readConfig,
  ServiceConfig,
  WebhookSecret,
} from './read-config.js';
