import type { AppEventBody, AppEventName } from '../shared/contracts/app-ipc.ts';

/** Tells the window something. */
export type Emit = <Name extends AppEventName>(name: Name, body: AppEventBody<Name>) => void;
