import { z } from 'zod';
import { benchDrawingSchema, drawingPlanSchema } from '../domain/bench.ts';
import { galleryFilterSchema, galleryItemSchema, galleryPlaceSchema } from '../domain/gallery.ts';
import {
  conversationFilterSchema,
  conversationMarksSchema,
  conversationSchema,
  conversationSummarySchema,
  deletedConversationSchema,
} from '../domain/conversation.ts';
import { conversationSettingsSchema } from '../domain/conversation-settings.ts';
import { draftKeySchema, keptDraftSchema } from '../domain/draft.ts';
import { editCommandSchema } from '../domain/edit-command.ts';
import { doctorReportSchema } from '../domain/doctor.ts';
import { fitEstimateSchema } from '../domain/fit.ts';
import { engineStatusSchema } from '../domain/engine-status.ts';
import {
  databaseCopySchema,
  exchangeProgressSchema,
  exportFormats,
  exportReportSchema,
  importOfferSchema,
  importSummarySchema,
} from '../domain/exchange.ts';
import { licenceSchema } from '../domain/licence.ts';
import { localServerPatchSchema, localServerStatusSchema } from '../domain/local-server.ts';
import { pictureChangeSchema, pictureSchema } from '../domain/picture.ts';
import { openedPlaceSchema } from '../domain/opening.ts';
import { updateStatusSchema } from '../domain/update-status.ts';
import { foundPlaceSchema } from '../domain/found-place.ts';
import { settingsPatchSchema, settingsSchema } from '../domain/settings.ts';
import { pictureWishSchema, ratingSchema, replySamplingSchema } from '../domain/turn.ts';
import { replyMessageSchema, replySnapshotSchema } from '../domain/reply.ts';
import { conversationVersionsSchema } from '../domain/versions.ts';
import { wireErrorSchema } from '../errors.ts';
import { comparisonEvents, comparisonRequests } from './comparison-ipc.ts';
import { modelEvents, modelRequests } from './models-ipc.ts';
import { recipeEvents, recipeRequests } from './recipe-ipc.ts';
import { trainingEvents, trainingRequests } from './training-ipc.ts';
import type { LanguageStart } from '../texts/language.ts';

export { appChannels, appProtocols } from './app-channels.ts';

/**
 * Between the window and main. A request's reply is `{ ok: true, value } | { ok: false, error }` on the wire;
 * `window.api` unwraps it. Pictures are shown from `textbind-picture://picture/<hash>`, never sent as bytes.
 */

/** What a person has composed: text and stored pictures in one line of thought. */
export const draftPartSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string().max(200_000) }),
  z.object({ kind: z.literal('picture'), pictureId: z.uuid() }),
]);
export type DraftPart = z.infer<typeof draftPartSchema>;

const nothing = z.null();
const conversationId = z.object({ conversationId: z.uuid() });
const turnId = z.object({ turnId: z.uuid() });
/** Where the reply begins; the turns themselves come with its first event. */
const startedReply = z.object({ conversation: conversationSummarySchema, turnId: z.uuid() });
const place = z.object({ turnId: z.uuid(), partIndex: z.number().int().min(0) });
const page = z.object({
  limit: z.number().int().min(1).max(500),
  offset: z.number().int().min(0),
});
const draft = z.array(draftPartSchema).min(1).max(200);
const measured = z.object({
  conversationId: z.uuid().nullable(),
  turnId: z.uuid().nullable(),
  parts: z.array(draftPartSchema).max(200),
  /** Of a new conversation. */
  settings: conversationSettingsSchema.optional(),
});
const benchDrawings = z.object({ drawings: z.array(benchDrawingSchema) });
const deleted = z.object({ deletionId: z.uuid(), conversation: conversationSchema });

export const appRequests = {
  'app.info': {
    request: nothing,
    reply: z.object({
      version: z.string(),
      electron: z.string(),
      platform: z.string(),
      dataFolder: z.string(),
      logFolder: z.string(),
    }),
  },
  /** What others wrote and is in the app, with the words of its licences. */
  'app.licences': { request: nothing, reply: z.object({ packages: z.array(licenceSchema) }) },
  'app.openLogFolder': { request: nothing, reply: nothing },
  /** Shows a file that was saved from the window in its folder. */
  'app.showFile': { request: z.object({ path: z.string().max(4096) }), reply: nothing },
  /** Edits where the focus of the window is, by the desktop's own clipboard. */
  'app.edit': { request: z.object({ command: editCommandSchema }), reply: nothing },
  /** Opens a link of a reply in the browser; https and http only, after main has asked the person. */
  'app.openLink': { request: z.object({ url: z.string().max(4096) }), reply: nothing },

  /**
   * Pinned ones, then the newest first. With `query`, full-text search over titles, texts and captions, the newest
   * first; `isMore` where it stopped at a full page, so that there are more than `total`.
   */
  'conversations.list': {
    request: page.extend({
      query: z.string().max(500).nullable(),
      filter: conversationFilterSchema.optional(),
    }),
    reply: z.object({
      conversations: z.array(conversationSummarySchema),
      total: z.number().int(),
      isMore: z.boolean(),
    }),
  },
  /** What a filter may name. */
  'conversations.filters': {
    request: nothing,
    reply: z.object({ tags: z.array(z.string()), models: z.array(z.string()) }),
  },
  /** Pins, archives, tags. */
  'conversations.mark': {
    request: conversationId.extend({ marks: conversationMarksSchema }),
    reply: conversationSummarySchema,
  },
  /** What a conversation is answered by; groups that are left out are as everywhere. */
  'conversations.settings': { request: conversationId, reply: conversationSettingsSchema },
  'conversations.setSettings': {
    request: conversationId.extend({ settings: conversationSettingsSchema }),
    reply: conversationSettingsSchema,
  },
  /** Where in a conversation a search finds its words; null where only the title has them. */
  'conversations.findPlace': {
    request: conversationId.extend({ query: z.string().max(500) }),
    reply: foundPlaceSchema.nullable(),
  },
  /** What a person has begun to write, one a conversation. */
  'drafts.list': {
    request: nothing,
    reply: z.object({
      drafts: z.array(z.object({ key: draftKeySchema, draft: keptDraftSchema })),
    }),
  },
  'drafts.keep': {
    request: z.object({ key: draftKeySchema, draft: keptDraftSchema.nullable() }),
    reply: nothing,
  },
  /** The window keeps none by itself any more. */
  'drafts.moved': { request: nothing, reply: nothing },
  /** `live`: the turn that is being written, as it is at this moment; the events after it go on from there. */
  'conversations.open': {
    request: conversationId,
    reply: conversationSchema.extend({ live: replySnapshotSchema.nullable() }),
  },
  'conversations.rename': {
    request: z.object({ conversationId: z.uuid(), title: z.string().trim().min(1).max(200) }),
    reply: conversationSummarySchema,
  },
  /** Puts it into the trash; `restore` brings it back, for 30 days. */
  'conversations.delete': { request: conversationId, reply: nothing },
  'conversations.restore': { request: conversationId, reply: conversationSummarySchema },

  /**
   * Asks where, writes them there; null when the person cancelled. Null for all that are not in the trash. Told by
   * `exchange.progress`; `busy` while another export or import runs.
   */
  'exchange.export': {
    request: z.object({
      conversationIds: z.array(z.uuid()).min(1).max(100_000).nullable(),
      format: z.enum(exportFormats),
    }),
    reply: exportReportSchema.nullable(),
  },
  /** Asks which file, and says what importing it would do; changes nothing. Null when the person cancelled. */
  'exchange.choose': { request: nothing, reply: importOfferSchema.nullable() },
  /** Daily copies of the database that can be restored, the newest first. */
  'exchange.copies': { request: nothing, reply: z.object({ copies: z.array(databaseCopySchema) }) },
  /** Says what restoring a copy would bring back; changes nothing. */
  'exchange.openCopy': { request: z.object({ file: z.string() }), reply: importOfferSchema },
  /** Imports what was offered. What is here stays as it is; what is new comes beside it. */
  'exchange.import': { request: z.object({ offerId: z.uuid() }), reply: importSummarySchema },
  /** Forgets what was offered. */
  'exchange.forget': { request: nothing, reply: nothing },
  /** Stops the export or import that runs: of an export nothing stays, of an import whole conversations. */
  'exchange.stop': { request: nothing, reply: nothing },
  /** Shows in its folder what was exported last. */
  'exchange.show': { request: nothing, reply: nothing },

  /** A picture is on its way: what decodes it is started meanwhile. */
  'pictures.expect': { request: nothing, reply: nothing },
  /** Stores a picture that was dropped, pasted or picked. */
  'pictures.add': {
    request: z.object({ bytes: z.instanceof(Uint8Array), name: z.string().max(500) }),
    reply: pictureSchema,
  },
  /** Changes what a person says of a picture; `pictures.changed` tells it to every view. */
  'pictures.change': {
    request: z.object({ pictureId: z.uuid(), change: pictureChangeSchema }),
    reply: pictureSchema,
  },
  /** The window's drag of a picture becomes one of its file; asked while the pointer is down. */
  'pictures.drag': { request: z.object({ pictureId: z.uuid() }), reply: nothing },
  /** Asks where, and copies the picture there, a drawing with its recipe in it; null when the person cancelled. */
  'pictures.save': {
    request: z.object({ pictureId: z.uuid() }),
    reply: z.object({ path: z.string() }).nullable(),
  },

  /** Stores the user's turn, then asks the model. A null conversation starts a new one. */
  'chat.send': {
    request: z.object({
      conversationId: z.uuid().nullable(),
      parts: draft,
      wish: pictureWishSchema.optional(),
      /** Of a new conversation. */
      settings: conversationSettingsSchema.optional(),
    }),
    reply: startedReply,
  },
  /**
   * Tokens that the model would read for a message, and of how many; from which turn on it would read, where not from
   * the first (`message`: from the message itself). Null while no model is open. With `turnId`, of that message edited.
   */
  'chat.measure': {
    request: measured,
    reply: z
      .object({
        tokens: z.number().int(),
        messageTokens: z.number().int(),
        room: z.number().int(),
        readsFrom: z.union([z.uuid(), z.literal('message')]).nullable(),
      })
      .nullable(),
  },
  /** A message that is not sent yet, shortened in the middle until the model can read it. */
  'chat.trim': { request: measured, reply: z.object({ parts: z.array(draftPartSchema) }) },
  /** Puts another version beside one of the person's turns and asks the model: a branch. */
  'chat.edit': { request: z.object({ turnId: z.uuid(), parts: draft }), reply: startedReply },
  /** As `chat.edit`, with the turn's own words, shortened in the middle until the model can read them. */
  'chat.shorten': { request: turnId, reply: startedReply },
  /** Stops the reply that is being written; what it has said is kept. */
  'chat.stop': { request: conversationId, reply: nothing },
  /** Writes another version of a reply. Until its first word the one before stays current. */
  'chat.regenerate': {
    request: turnId.extend({ sampling: replySamplingSchema.optional() }),
    reply: startedReply,
  },
  /** Goes on with a last reply that was stopped, interrupted or cut. */
  'chat.continue': { request: turnId, reply: startedReply },
  /** Draws another version at a place of a reply; for drawn and undrawn parts. Null: a fresh seed. */
  'chat.redraw': {
    request: place.extend({
      caption: z.string().trim().min(1).max(2000),
      seed: z.number().int().nonnegative().max(0xffff_ffff).nullable(),
    }),
    reply: startedReply,
  },
  /** Keeps what a person thinks of a reply; null takes it back. */
  'chat.rate': { request: turnId.extend({ rating: ratingSchema.nullable() }), reply: nothing },
  /** A turn as it is at this moment, for a window that missed an event or its begin. */
  'chat.turn': { request: turnId, reply: replySnapshotSchema },

  /** Makes a list of the pictures of all conversations, the newest first; with `query`, of those it is said of. */
  'gallery.open': {
    request: z.object({ filter: galleryFilterSchema, query: z.string().max(500).nullable() }),
    reply: z.object({ listId: z.uuid(), total: z.number().int() }),
  },
  /** Items of a list by their number in it; null for one that is gone since. `not-found`: open it anew. */
  'gallery.page': {
    request: z.object({
      listId: z.uuid(),
      offset: z.number().int().min(0),
      limit: z.number().int().min(1).max(200),
    }),
    reply: z.object({ items: z.array(galleryItemSchema.nullable()) }),
  },
  /** Where a picture stands: of several places one that is current, the newest. */
  'gallery.place': { request: z.object({ pictureId: z.uuid() }), reply: galleryPlaceSchema },

  /** The drawings at a place of a reply, oldest first; null for one that was not drawn. */
  'versions.drawings': {
    request: place,
    reply: z.object({ pictures: z.array(pictureSchema.nullable()), current: z.number().int() }),
  },
  /** Queues drawings of one caption. Each tells what becomes of it by `bench.drawing`. */
  'bench.draw': {
    request: z.object({
      bench: z.string().min(1).max(100),
      caption: z.string().trim().min(1).max(2000),
      plans: z.array(drawingPlanSchema).min(1).max(8),
    }),
    reply: benchDrawings,
  },
  /** What stands on a bench since the app started. */
  'bench.list': { request: z.object({ bench: z.string().max(100) }), reply: benchDrawings },
  'bench.cancel': { request: z.object({ drawingIds: z.array(z.uuid()).max(200) }), reply: nothing },
  /** Puts a drawing into its reply: another version of the drawing at that place, current or kept beside it. */
  'bench.place': {
    request: place.extend({ pictureId: z.uuid(), current: z.boolean() }),
    reply: conversationSchema,
  },
  /** Makes any version of a turn current. */
  'versions.choose': { request: turnId, reply: conversationSchema },
  /** Makes any version of a drawing current; `index` from 0, oldest first. */
  'versions.chooseDrawing': {
    request: place.extend({ index: z.number().int().min(0) }),
    reply: conversationSchema,
  },
  /**
   * Takes away one of several versions with what follows it, or, where it is the only one, a person's turn with its
   * replies: what follows stays. `versions.restore` brings it back.
   */
  'versions.delete': { request: turnId, reply: deleted },
  /** Takes away the current one of several drawings at a place. */
  'versions.deleteDrawing': { request: place, reply: deleted },
  'versions.restore': { request: z.object({ deletionId: z.uuid() }), reply: conversationSchema },

  /** Deleted conversations, kept for 30 days; the last deleted first. `conversations.restore` brings one back. */
  'trash.list': {
    request: page,
    reply: z.object({ conversations: z.array(deletedConversationSchema), total: z.number().int() }),
  },
  /** Deletes one for good. */
  'trash.delete': { request: conversationId, reply: nothing },
  /** Deletes all of them for good. */
  'trash.empty': { request: nothing, reply: z.object({ deleted: z.number().int() }) },

  'settings.get': { request: nothing, reply: settingsSchema },
  'settings.set': { request: settingsPatchSchema, reply: settingsSchema },
  'updates.status': { request: nothing, reply: updateStatusSchema },
  /** Asks the update server whether there is a newer version. */
  'updates.look': { request: nothing, reply: updateStatusSchema },
  /** Fetches the version that was found; `updates.stop` ends it, and the next time goes on from there. */
  'updates.download': { request: nothing, reply: updateStatusSchema },
  'updates.stop': { request: nothing, reply: nothing },
  /** Installs what was fetched and starts the app anew; `busy` while a reply is written or a training runs. */
  'updates.install': { request: nothing, reply: updateStatusSchema },
  /** Looks at the machine, what runs on it and what is wrong; takes seconds. */
  'doctor.examine': { request: nothing, reply: doctorReportSchema },
  /** What is expected of each model on this machine; takes a second or two. */
  'fit.list': { request: nothing, reply: z.object({ estimates: z.array(fitEstimateSchema) }) },
  /** Opens a model beside the engine, has it speak and draw a little, and keeps how that went. */
  'fit.measure': {
    request: z.object({ folder: z.string().max(4096) }),
    reply: z.object({ estimates: z.array(fitEstimateSchema) }),
  },
  /** The local server for other programs: off until a person switches it on. */
  'server.status': { request: nothing, reply: localServerStatusSchema },
  /** Switches it, or has it listen elsewhere; what is left out stays. */
  'server.set': { request: localServerPatchSchema, reply: localServerStatusSchema },
  /** Makes another key; who has the one before is let in no more. */
  'server.renewKey': { request: nothing, reply: localServerStatusSchema },
  'engine.status': { request: nothing, reply: engineStatusSchema },
  /** Starts the worker again, at once, whatever its state. */
  'engine.restart': { request: nothing, reply: nothing },
  ...trainingRequests,
  ...comparisonRequests,
  ...recipeRequests,
  ...modelRequests,
} as const satisfies Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>;

/** Main to window. */
export const appEvents = {
  'engine.status': engineStatusSchema,
  'updates.status': updateStatusSchema,
  'server.status': localServerStatusSchema,
  'settings.changed': settingsSchema,
  /** A drawing of the bench as it is now. */
  'bench.drawing': z.object({ drawing: benchDrawingSchema }),
  /** A person said something else of a picture. */
  'pictures.changed': z.object({ picture: pictureSchema }),
  /** A conversation is new or its summary changed; `removed` when it left the list. */
  'conversations.changed': z.object({
    conversation: conversationSummarySchema,
    removed: z.boolean(),
  }),
  /** Deleted for good: nothing of them may be kept, drafts neither. */
  'conversations.erased': z.object({ conversationIds: z.array(z.uuid()) }),
  /** What happens to a turn that is being written, in order; stored before it is told. */
  'chat.reply': replyMessageSchema,
  /** Another path of a conversation is current than was told: all of it, as it is stored. */
  'chat.path': conversationSchema,
  /** Where a conversation has more than one version now. */
  'chat.versions': z.object({ conversationId: z.uuid(), versions: conversationVersionsSchema }),
  /** Another program asked for a place of the window: a `textbind:` link. */
  'app.open': openedPlaceSchema,
  'exchange.progress': exchangeProgressSchema,
  /** An archive was opened by double-click: this is what importing it would do. */
  'exchange.offered': importOfferSchema,
  /** Something that was mended, or put in another's place: it stays until it is dismissed. */
  'app.notice': z.object({ message: z.string() }),
  /** Something that failed outside any turn. */
  'app.problem': z.object({ error: wireErrorSchema }),
  ...trainingEvents,
  ...comparisonEvents,
  ...recipeEvents,
  ...modelEvents,
} as const satisfies Record<string, z.ZodType>;

export type AppRequestName = keyof typeof appRequests;
export type AppRequestBody<Name extends AppRequestName> = z.infer<
  (typeof appRequests)[Name]['request']
>;
export type AppReplyBody<Name extends AppRequestName> = z.infer<
  (typeof appRequests)[Name]['reply']
>;
export type AppEventName = keyof typeof appEvents;
export type AppEventBody<Name extends AppEventName> = z.infer<(typeof appEvents)[Name]>;

/** A reply on the wire. */
export const appReplyEnvelopeSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: wireErrorSchema }),
]);
export type AppReplyEnvelope = z.infer<typeof appReplyEnvelopeSchema>;

/** What preload puts on the window as `window.api`; `api.ts` in the renderer types and unwraps it. */
export interface AppBridge {
  request(name: AppRequestName, body: unknown): Promise<AppReplyEnvelope>;
  /** Calls back for each event; the function returned ends it. */
  onEvent(receive: (name: AppEventName, body: unknown) => void): () => void;
  /** Where a file lies that the person dropped or picked; empty for one that the page made itself. */
  pathOf(file: unknown): string;
  readonly platform: string;
  /** What was chosen when the window was made, so that its first picture is in that language. */
  readonly language: LanguageStart;
}
