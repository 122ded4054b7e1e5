import type {
  AppReplyBody,
  AppRequestBody,
  AppRequestName,
} from '../../shared/contracts/app-ipc.ts';

export type AppHandler<Name extends AppRequestName> = (
  body: AppRequestBody<Name>,
) => AppReplyBody<Name> | Promise<AppReplyBody<Name>>;

/** A handler for every request of the contract: one that is missing does not compile. */
export type AppHandlers = { readonly [Name in AppRequestName]: AppHandler<Name> };

/** The handlers of one domain, by the name before the dot. */
export type DomainHandlers<Domain extends string> = Pick<
  AppHandlers,
  Extract<AppRequestName, `${Domain}.${string}`>
>;
