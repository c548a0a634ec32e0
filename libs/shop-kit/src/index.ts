export { startShop, type StartShopOptions } from './start-shop.js';
export type { RunningShop } from './running-shop.js';
export type { Faults, OutsideFault, OutsidePart } from './faults.js';
export { CHECKOUT, Launcher } from './launcher.js';
export { type Instance, instancesIn, runningProcesses, signal } from './processes.js';

export { ShopClient } from './client/shop-client.js';
export { type Answer, CallFailed, type ClientOptions, type PatientAnswer } from './client/http.js';
export { Buyer, isWrongState, type OrderState } from './client/buyer.js';
export type { DeadLetter, Operator, Subscription } from './client/operator.js';
export {
  aCampaign,
  anItem,
  aProduct,
  type Item,
  type NewCampaign,
  type Product,
  unique,
} from './client/builders.js';
export { NotInTime, until } from './client/until.js';
export { type Audit, auditReport } from './client/audit.js';
export { inParallel } from './client/in-parallel.js';
export { table } from './client/table.js';
