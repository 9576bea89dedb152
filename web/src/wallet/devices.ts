// This phone's payment codes: for each card a key that cannot be read, and just enough to show whose it is without
// a network. In IndexedDB, because a CryptoKey can only be kept there. No balance: it would be old.
import { clear, createStore, del, get, set, values, type UseStore } from 'idb-keyval';
import * as api from './api';
import { importSecret } from './payment-code';

export interface Device {
  card: string;
  /** The holder: another one who signs in here does not get it. */
  owner: string;
  /** Its id at the server, to revoke it by. */
  id: string;
  tag: number;
  key: CryptoKey;
  periodSeconds: number;
  /** The server's clock minus this phone's, in milliseconds. */
  clockOffset: number;
  last4: string;
  programName: string;
  issuerName: string;
}

let opened: UseStore | undefined;
const store = () => (opened ??= createStore('hexiao-wallet', 'devices'));

export const deviceOf = (card: string) => get<Device>(card, store());
export const allDevices = () => values<Device>(store());
export const forgetDevice = (card: string) => del(card, store());
export const forgetAll = () => clear(store());

/** Signing in as somebody else leaves nothing of who was here before. */
export async function keepOnly(owner: string) {
  const foreign = (await allDevices()).filter((device) => device.owner !== owner);
  await Promise.all(foreign.map((device) => forgetDevice(device.card)));
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Enrols this phone for a card. The secret is imported at once and not kept in any other form. */
export async function enrolDevice(session: api.Session, card: api.Card): Promise<Device> {
  const answer = await api.enrol(card.id);
  const secret = bytesOf(answer.secret);
  const key = await importSecret(secret);
  secret.fill(0);
  const device: Device = {
    card: card.id,
    owner: session.holder.id,
    id: answer.device,
    tag: Number(answer.tag),
    key,
    periodSeconds: answer.period_s,
    clockOffset: Date.parse(answer.server_time) - Date.now(),
    last4: card.last4,
    programName: card.program_name,
    issuerName: session.issuer.name,
  };
  await set(card.id, device, store());
  return device;
}

/** Follows the clock of the server whenever it can be asked. */
export async function setClock(session: api.Session, receivedAt: number) {
  const clockOffset = Date.parse(session.server_time) - receivedAt;
  const devices = await allDevices();
  await Promise.all(devices.map((device) => set(device.card, { ...device, clockOffset }, store())));
}

/** Asks the server for the time, and follows it. Without a network everything stays as it was. */
export async function askForTheTime() {
  const askedAt = Date.now();
  const session = await api.currentSession().catch(() => undefined);
  if (session) await setClock(session, (askedAt + Date.now()) / 2);
}
