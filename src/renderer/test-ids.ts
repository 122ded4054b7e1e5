/**
 * Ids that the window carries as `data-testid`, shared with test/e2e and the demo driver. Nothing else of the page's
 * structure is promised.
 *
 * Besides its id, an element says what it is about:
 * - `turn`: `data-turn-id`, `data-role` (user, assistant), `data-status` (a TurnStatus).
 * - `picture`, `drawing`, `undrawn`: `data-part-index`; `picture` also `data-picture-id` and `data-origin`.
 * - `turnVersions`, `drawingVersions`: `data-index` (from 0) and `data-count`.
 * - `conversationItem`, `trashItem`: `data-conversation-id`, `aria-current="page"` when open.
 * - `engineStatus`: `data-state` (an EngineStatus state).
 * - `drawing`: `data-step`, `data-steps`.
 */
export const testIds = {
  // Shell
  railChat: 'rail-chat',
  railGallery: 'rail-gallery',
  railTraining: 'rail-training',
  railModels: 'rail-models',
  railSettings: 'rail-settings',
  engineStatus: 'engine-status',
  /** "Start now", "Try again" or "Restart": whatever mends the engine in its present state. */
  engineRestart: 'engine-restart',
  /** The bar that offers to undo a deletion, and its button. */
  undoBar: 'undo-bar',
  undo: 'undo',
  /** An error that belongs to no place; its text is the sentence. */
  problem: 'problem',
  /** What was mended or replaced at the start; it stays until it is dismissed. */
  standingNotice: 'standing-notice',
  shortcuts: 'shortcuts',
  /** What can be done where the pointer, or the focus, is. */
  contextMenu: 'context-menu',

  // Conversation list
  newConversation: 'new-conversation',
  toggleList: 'toggle-list',
  search: 'search',
  conversationList: 'conversation-list',
  conversationItem: 'conversation-item',
  conversationMenu: 'conversation-menu',
  conversationRename: 'conversation-rename',
  conversationRenameInput: 'conversation-rename-input',
  conversationDelete: 'conversation-delete',
  openTrash: 'open-trash',

  // Trash
  trashView: 'trash-view',
  trashItem: 'trash-item',
  trashRestore: 'trash-restore',
  /** Pressed once it asks, pressed again it deletes for good. */
  trashErase: 'trash-erase',
  trashEmpty: 'trash-empty',

  // Conversation
  conversation: 'conversation',
  conversationTitle: 'conversation-title',
  emptyState: 'empty-state',
  aboutModel: 'about-model',
  /** One of the prompts that the empty state offers. */
  starter: 'starter',
  exportMenu: 'export-menu',
  exportMarkdown: 'export-md',
  exportJson: 'export-json',
  /** Opens the dialog for other formats and several conversations. */
  exportMore: 'export-more',
  exchange: 'exchange',
  exchangeClose: 'exchange-close',
  /** `data-format`: an ExportFormat. */
  exportFormat: 'export-format',
  exportScope: 'export-scope',
  /** One of the conversations that may be chosen: `data-conversation-id`. */
  exportChoice: 'export-choice',
  exportStart: 'export-start',
  exchangeStop: 'exchange-stop',
  exchangeDone: 'exchange-done',
  exchangeShow: 'exchange-show',
  exchangeFault: 'exchange-fault',
  importSummary: 'import-summary',
  importStart: 'import-start',
  importFile: 'import-file',
  exportAll: 'export-all',
  restoreCopy: 'restore-copy',
  /** Says where an export or a saved picture went. */
  savedNotice: 'saved-notice',
  /** Shows what was saved in its folder. */
  showSaved: 'show-saved',
  /** Closes a bar: of each that is shown. */
  barClose: 'bar-close',
  jumpToLatest: 'jump-to-latest',

  // Turn
  turn: 'turn',
  turnText: 'turn-text',
  turnNotice: 'turn-notice',
  /** Notices that come again and again, as one mark: shows and hides their words. */
  turnNoticeMark: 'turn-notice-mark',
  turnError: 'turn-error',
  turnUsage: 'turn-usage',
  rateUp: 'rate-up',
  rateDown: 'rate-down',
  continueReply: 'continue',
  /** Of the last reply, or "Try again" of one that failed. */
  regenerate: 'regenerate',
  /** Of an earlier reply: begins a branch there. */
  regenerateHere: 'regenerate-here',
  /** "‹ 2 / 3 ›" under a turn, under a drawing. */
  turnVersions: 'turn-versions',
  drawingVersions: 'drawing-versions',
  deleteVersion: 'delete-version',
  deleteDrawing: 'delete-drawing',
  editMessage: 'edit-message',
  deleteMessage: 'delete-message',
  messageEditor: 'message-editor',
  messageInput: 'message-input',
  messageSubmit: 'message-submit',
  messageCancel: 'message-cancel',
  shorten: 'shorten',
  failedEdit: 'failed-edit',
  failedDelete: 'failed-delete',
  /** The bar that offers to bring back a deleted turn or version, and its button. */
  versionUndoBar: 'version-undo-bar',
  versionUndo: 'version-undo',

  // Picture in a turn
  picture: 'picture',
  caption: 'caption',
  drawing: 'drawing',
  drawingProgress: 'drawing-progress',
  undrawn: 'undrawn',
  drawAgain: 'draw-again',
  editCaption: 'edit-caption',
  captionInput: 'caption-input',
  captionSubmit: 'caption-submit',
  savePicture: 'save-picture',
  showRecipe: 'show-recipe',
  inspector: 'inspector',
  inspectorClose: 'inspector-close',

  /** A picture as a button: opens it large. */
  openPicture: 'open-picture',
  /** Opens the drawing bench on a caption. */
  openBench: 'open-bench',

  // Lightbox
  lightbox: 'lightbox',
  lightboxClose: 'lightbox-close',
  /** `data-zoom`: 1 fits the picture into the stage. */
  lightboxStage: 'lightbox-stage',
  /** The version that the current one is compared with. */
  lightboxOther: 'lightbox-other',
  lightboxCaption: 'lightbox-caption',
  lightboxVersions: 'lightbox-versions',
  lightboxCompare: 'lightbox-compare',
  lightboxLarger: 'lightbox-larger',
  lightboxNext: 'lightbox-next',
  lightboxSave: 'lightbox-save',
  lightboxCopy: 'lightbox-copy',
  lightboxPut: 'lightbox-put',
  altText: 'alt-text',
  favourite: 'favourite',
  /** Of the gallery: opens the conversation where a picture stands. */
  goToPlace: 'go-to-place',

  // Gallery
  galleryView: 'gallery-view',
  gallerySearch: 'gallery-search',
  galleryFilter: 'gallery-filter',
  galleryCount: 'gallery-count',
  galleryGrid: 'gallery-grid',
  /** A picture: `data-picture-id`, `data-index` (from 0, the newest). */
  galleryItem: 'gallery-item',

  // Bench
  bench: 'bench',
  benchClose: 'bench-close',
  benchCaption: 'bench-caption',
  benchNegative: 'bench-negative',
  benchDiffer: 'bench-differ',
  benchSeed: 'bench-seed',
  benchLock: 'bench-lock',
  benchSteps: 'bench-steps',
  benchGuidance: 'bench-guidance',
  benchSize: 'bench-size',
  benchDraw: 'bench-draw',
  benchCancelAll: 'bench-cancel-all',
  /** `data-state`: queued, drawing, done, failed or cancelled; `data-picture-id` once it is done. */
  benchDrawing: 'bench-drawing',
  benchCancel: 'bench-cancel',
  benchKeep: 'bench-keep',
  benchUse: 'bench-use',

  // Composer
  /** The whole composer: a place to drop pictures. */
  composer: 'composer',
  /** The editable line: type here. */
  composerInput: 'composer-input',
  composerPicture: 'composer-picture',
  composerPictureRemove: 'composer-picture-remove',
  composerPictureError: 'composer-picture-error',
  /** Why sending is not possible now; absent when it is. */
  /** Says that a message goes when the reply has ended. */
  composerWaiting: 'composer-waiting',
  composerReason: 'composer-reason',
  addPicture: 'add-picture',
  /** Says what a picture in the message was drawn from, where its file brought that along. */
  recipeHint: 'recipe-hint',
  recipeHintShow: 'recipe-hint-show',
  recipeHintDraw: 'recipe-hint-draw',
  /** Opens "Draw here" and "Do not draw" for the next reply; `data-wish`: draw, words or none. */
  pictureWish: 'picture-wish',
  wishNone: 'wish-none',
  wishDraw: 'wish-draw',
  wishWords: 'wish-words',
  /** `<input type="file" multiple>`, hidden from sight; set its files to add pictures at the cursor. */
  fileInput: 'file-input',
  send: 'send',
  stop: 'stop',

  // Context and settings of a conversation
  /** `data-tokens`, `data-room`; `data-too-much` where the message does not fit. */
  meter: 'meter',
  /** Says that a message is too long, before it is sent. */
  tooMuch: 'too-much',
  trimMessage: 'trim-message',
  /** Stands before the first turn that the model would read. */
  readsFrom: 'reads-from',
  /** Opens the settings of the conversation. */
  conversationSettings: 'conversation-settings',
  ownSettings: 'own-settings',
  ownSystem: 'own-system',
  ownReset: 'own-reset',
  presets: 'presets',
  presetName: 'preset-name',
  presetSave: 'preset-save',
  regenerateWith: 'regenerate-with',
  regenerateFields: 'regenerate-fields',
  regenerateStart: 'regenerate-start',
  settingsReset: 'settings-reset',
  drawingSize: 'drawing-size',

  // Finding and keeping conversations
  filterOpen: 'filter-open',
  filters: 'filters',
  filterClear: 'filter-clear',
  listResize: 'list-resize',
  conversationPin: 'conversation-pin',
  conversationArchive: 'conversation-archive',
  conversationTags: 'conversation-tags',
  tagEditor: 'tag-editor',
  findBar: 'find-bar',
  findInput: 'find-input',
  findCount: 'find-count',
  findNext: 'find-next',
  findBefore: 'find-before',
  findClose: 'find-close',
  skipLink: 'skip-link',

  // Models and settings
  modelsView: 'models-view',
  modelItem: 'model-item',
  modelChoose: 'model-choose',
  providerFallback: 'provider-fallback',
  /** `data-here`: the library was fetched. */
  cuda: 'cuda',
  cudaLook: 'cuda-look',
  cudaDelete: 'cuda-delete',
  cudaMissing: 'cuda-missing',
  modelMenu: 'model-menu',
  modelVerify: 'model-verify',
  modelVerified: 'model-verified',
  modelRename: 'model-rename',
  modelNameInput: 'model-name-input',
  modelDelete: 'model-delete',
  modelDeleteConfirm: 'model-delete-confirm',
  modelRemoval: 'model-removal',
  /** Of the chat's header: the models to choose from. */
  modelSwitch: 'model-switch',
  modelSwitchMore: 'model-switch-more',
  systemFit: 'system-fit',
  offerStorage: 'offer-storage',
  modelMove: 'model-move',
  modelMoveBack: 'model-move-back',
  modelMovePlan: 'model-move-plan',
  modelMoveShared: 'model-move-shared',
  modelMoveConfirm: 'model-move-confirm',
  modelMoving: 'model-moving',
  modelMoveStop: 'model-move-stop',
  modelDrop: 'model-drop',
  modelPickFolder: 'model-pick-folder',
  modelPickFile: 'model-pick-file',
  /** `data-kind`: a FoundKind; `data-usable`. */
  foundPart: 'found-part',
  importMissing: 'import-missing',
  importName: 'import-name',
  importStorage: 'import-storage',
  importCost: 'import-cost',
  importAdd: 'import-add',
  importDone: 'import-done',
  importUse: 'import-use',
  importProgress: 'import-progress',
  importStop: 'import-stop',
  importFaults: 'import-faults',
  /** `data-entry`: its id in the catalogue. */
  catalogueItem: 'catalogue-item',
  catalogueLook: 'catalogue-look',
  catalogueFault: 'catalogue-fault',
  offer: 'offer',
  offerAccept: 'offer-accept',
  offerStart: 'offer-start',
  /** `data-state`: a DownloadState; `data-entry`, `data-received` in bytes. */
  download: 'download',
  downloadPause: 'download-pause',
  downloadResume: 'download-resume',
  downloadCancel: 'download-cancel',
  downloadCancelConfirm: 'download-cancel-confirm',
  downloadPage: 'download-page',
  downloadReason: 'download-reason',
  downloadUse: 'download-use',
  hubAddress: 'hub-address',
  hubToken: 'hub-token',
  hubTokenKeep: 'hub-token-keep',
  partDelete: 'part-delete',
  partDeleteConfirm: 'part-delete-confirm',
  storedParts: 'stored-parts',
  settingsView: 'settings-view',
  settingsTheme: 'settings-theme',
  settingsLanguage: 'settings-language',
  settingsProvider: 'settings-provider',
  settingsSteps: 'settings-steps',
  settingsGuidance: 'settings-guidance',
  settingsTemperature: 'settings-temperature',
  settingsDrawingEnabled: 'settings-drawing-enabled',
  updatesAllow: 'updates-allow',
  updatesStatus: 'updates-status',
  updatesAct: 'updates-act',
  licences: 'licences',
  dataFolder: 'data-folder',

  // The local server and the doctor
  serverSwitch: 'server-switch',
  serverAddress: 'server-address',
  serverKey: 'server-key',
  serverShowKey: 'server-show-key',
  serverRenew: 'server-renew',
  serverPort: 'server-port',
  serverState: 'server-state',
  fitLine: 'fit-line',
  fitMeasure: 'fit-measure',
  doctorOpen: 'doctor-open',
  doctorView: 'doctor-view',
  doctorFinding: 'doctor-finding',
  doctorCopy: 'doctor-copy',
  doctorAgain: 'doctor-again',

  // Training
  trainingView: 'training-view',
  trainingError: 'training-error',
  trainingBack: 'training-back',
  trainerCard: 'trainer-card',
  trainerSetUp: 'trainer-set-up',
  trainerRepair: 'trainer-repair',
  trainerPython: 'trainer-python',
  trainerChoose: 'trainer-choose',
  datasetPickFile: 'dataset-pick-file',
  datasetItem: 'dataset-item',
  datasetFaults: 'dataset-faults',
  datasetSkip: 'dataset-skip',
  datasetSplit: 'dataset-split',
  /** How often other data is passed, in the form of a run: `data-dataset-id`. */
  runBlend: 'run-blend',
  datasetShow: 'dataset-show',
  dataSample: 'data-sample',
  /** The box that leaves a row out: `data-row`. */
  dataLeaveOut: 'data-leave-out',
  dataExclude: 'data-exclude',
  /** "Ten steps on it": the form of a run, filled in. */
  datasetTenSteps: 'dataset-ten-steps',
  gatherOpen: 'gather-open',
  gatherPage: 'gather-page',
  gatherFrom: 'gather-from',
  /** A row of the data set to come: `data-conversation-id`. */
  gatherRow: 'gather-row',
  /** The box of a message with its reply: `data-reply-id`. */
  gatherExchange: 'gather-exchange',
  gatherName: 'gather-name',
  gatherMake: 'gather-make',
  runNew: 'run-new',
  runItem: 'run-item',
  runForm: 'run-form',
  runStage: 'run-stage',
  runSource: 'run-source',
  /** Of a part or a checkpoint: `data-place`. */
  runPlace: 'run-place',
  runData: 'run-data',
  runValidation: 'run-validation',
  runSamples: 'run-samples',
  runSamplesHeldBack: 'run-samples-held-back',
  runSamplesAdd: 'run-samples-add',
  runSamplesText: 'run-samples-text',
  runReplies: 'run-replies',
  runReply: 'run-reply',
  runSteps: 'run-steps',
  runOptimizer: 'run-optimizer',
  runBatch: 'run-batch',
  runMicroBatch: 'run-micro-batch',
  runName: 'run-name',
  runTry: 'run-try',
  runTried: 'run-tried',
  runVerdict: 'run-verdict',
  runTakeOver: 'run-take-over',
  runOption: 'run-option',
  runCreate: 'run-create',
  runPage: 'run-page',
  runState: 'run-state',
  runTrouble: 'run-trouble',
  /** Changes what the trouble's words advise, and goes on. */
  runRemedy: 'run-remedy',
  runSettings: 'run-settings',
  runChangeSteps: 'run-change-steps',
  runChangeRate: 'run-change-rate',
  runRestsEngine: 'run-rests-engine',
  runElsewhere: 'run-elsewhere',
  runPack: 'run-pack',
  runPacked: 'run-packed',
  runTakeBack: 'run-take-back',
  runStart: 'run-start',
  runStop: 'run-stop',
  runPublish: 'run-publish',
  runPublished: 'run-published',
  runUse: 'run-use',
  chart: 'chart',

  // Conversations written of captions
  recipeNew: 'recipe-new',
  recipeItem: 'recipe-item',
  recipeForm: 'recipe-form',
  recipeName: 'recipe-name',
  recipeCount: 'recipe-count',
  recipeEyes: 'recipe-eyes',
  recipeClip: 'recipe-clip',
  recipeCreate: 'recipe-create',
  /** `data-state`: resting, looking or writing. */
  recipePage: 'recipe-page',
  recipeLook: 'recipe-look',
  recipeCluster: 'recipe-cluster',
  recipeWriter: 'recipe-writer',
  recipeAddress: 'recipe-address',
  recipeModel: 'recipe-model',
  recipeKey: 'recipe-key',
  recipeKeyKeep: 'recipe-key-keep',
  recipeEstimate: 'recipe-estimate',
  /** The box that says where captions go. */
  recipeConfirm: 'recipe-confirm',
  recipeWriteOne: 'recipe-write-one',
  recipeWrite: 'recipe-write',
  recipePause: 'recipe-pause',
  recipeTrouble: 'recipe-trouble',
  /** `data-to-review`, `data-accepted`, `data-rejected`, `data-left-out`, `data-to-write`. */
  recipeCounts: 'recipe-counts',
  recipePiles: 'recipe-piles',
  /** `data-number`. */
  recipeReview: 'recipe-review',
  recipeAccept: 'recipe-accept',
  recipeReject: 'recipe-reject',
  recipeEdit: 'recipe-edit',
  recipeEditor: 'recipe-editor',
  recipeUndo: 'recipe-undo',
  recipeQuality: 'recipe-quality',
  recipeExport: 'recipe-export',

  compareRunsOpen: 'compare-runs-open',
  compareRunsPage: 'compare-runs-page',
  compareRunsWhat: 'compare-runs-what',
  compareRunsChoice: 'compare-runs-choice',

  // Two models side by side
  backToChat: 'back-to-chat',
  replyCompare: 'reply-compare',
  compareOpen: 'compare-open',
  comparePage: 'compare-page',
  compareFirst: 'compare-first',
  compareSecond: 'compare-second',
  compareBlind: 'compare-blind',
  compareMessage: 'compare-message',
  compareAsk: 'compare-ask',
  /** `data-side`: A or B; `data-state`: waiting, opening, answering, done or failed. */
  compareSide: 'compare-side',
  compareReply: 'compare-reply',
  /** The model's name, once it may be known. */
  compareName: 'compare-name',
  /** `data-verdict`: A, B, both or neither. */
  compareVerdict: 'compare-verdict',
  compareTally: 'compare-tally',
  /** After a run was published: the new model against the one that it began with. */
  runCompare: 'run-compare',
} as const;

export type TestId = (typeof testIds)[keyof typeof testIds];
