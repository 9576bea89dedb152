// Short names for what pages take from the API, as its description has it.
import type { components } from './schema';

type Schemas = components['schemas'];

export type CurrentSession = Schemas['CurrentSession'];
export type LoginAnswer = Schemas['SignIn'];
export type User = Schemas['User'];
export type Role = Schemas['Role'];
export type LimitKind = keyof Schemas['RoleLimits'];
export type Invitation = Schemas['Invitation'];
export type AuditEvent = Schemas['AuditEvent'];
export type DashboardAnswer = Schemas['Dashboard'];
export type DashboardHour = Schemas['DashboardHour'];
export type DashboardTotal = Schemas['DashboardTotal'];
export type Approval = Schemas['Approval'];
export type ApprovalState = Approval['state'];
export type Passkey = Schemas['Passkey'];
