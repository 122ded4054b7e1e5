import { plural } from './plural.ts';
import type { Value } from '../value.ts';

export const settings = {
  starting: 'Starting',
  notListening: 'Not listening',
  offNothingListens: 'Off: nothing listens',
  yourConversationGoesFirstClient: (line: Value) =>
    `Your conversation goes first; a client waits${line}`,
  answeringClient: (line: Value) => `Answering a client${line}`,
  exportTakesConversationsAlongTo:
    'Export takes conversations along: to read, to print, to train with, or complete in an archive. Import brings an archive or TextBind JSON back; nothing that is here is changed.',
  importIt: 'Import…',
  copies: 'Copies',
  databaseIsCopiedAtEnd:
    'The database is copied at the end and once a day while the app runs. There is no copy yet.',
  madeAtEndAndOnce:
    'Made at the end and once a day while the app runs. Restoring one brings back what is missing here, beside what is here.',
  restoreFromCopyOf: (madeAt: Value) => `Restore from the copy of ${madeAt}`,
  restore: 'Restore…',
  showAll: (count: Value) => `Show all ${count}`,
  textbindStudioIsApache2: 'TextBind Studio is Apache-2.0. It stands on the work of others.',
  whatIsInIt: 'What is in it',
  reading: 'Reading…',
  electronAndChromiumBringNotices:
    'Electron and Chromium bring notices of their own: LICENSES.chromium.html, beside the program.',
  replies: 'Replies',
  longestReply: 'Longest reply',
  tokens: 'Tokens',
  draw: 'Draw',
  switchedOffCaptionsStayAs: 'Switched off, captions stay as words',
  moreTakesLongerAndDraws: 'More takes longer and draws finer',
  howCloselyDrawingKeepsTo:
    'How closely a drawing keeps to its caption; empty: what suits the model',
  model: 'Model',
  keepOutOfDrawings: 'Keep out of drawings',
  whatSuitsModel: 'What suits the model',
  sameSeedEachTime: 'Same seed each time',
  soThatCaptionDrawsSame: 'So that a caption draws the same picture',
  thereIsNewKeyPrograms: 'There is a new key; programs with the one before are let in no more',
  letProgramsOnThisMachine: 'Let programs on this machine use the open model',
  openaiCompatibleApiOn127:
    'An OpenAI-compatible API on 127.0.0.1, with a key. Nobody on the network reaches it.',
  address: 'Address',
  key: 'Key',
  renew: 'Renew',
  port: 'Port',
  clientsWaitForEachOther:
    'Clients wait for each other in a fair line. Your own conversation always goes first: what a client is being told stops while you are answered, and goes on afterwards.',
  settings: 'Settings',
  yourChangeWasTakenBack: (error: Value) => `${error} Your change was taken back.`,
  window: 'Window',
  appearance: 'Appearance',
  asSystem: 'As the system',
  light: 'Light',
  dark: 'Dark',
  engine: 'Engine',
  runsOn: 'Runs on',
  automaticTakesFastestThatWorks:
    'Automatic takes the fastest that works here. Models says what it came to.',
  automatic: 'Automatic',
  repliesAndDrawings: 'Replies and drawings',
  forEveryConversationThatHas: 'For every conversation that has no settings of its own.',
  reset: 'Reset',
  conversationsOutAndIn: 'Conversations out and in',
  localServer: 'Local server',
  conversationsAndPictures: 'Conversations and pictures',
  logs: 'Logs',
  version: 'Version',
  onElectron: (version: Value, electron: Value, platform: Value) =>
    `${version} on Electron ${electron}, ${platform}`,
  openLogs: 'Open logs',
  nothingLeavesThisMachineNo:
    'Nothing leaves this machine: no account, no telemetry. The network is used for updates and for models that you fetch, and only where you ask for it. The local server answers programs on this machine, and only where you switch it on.',
  updates: 'Updates',
  licences: 'Licences',
  notLookedForSinceStart: 'Not looked for since the start.',
  thisIsNewestVersion: 'This is the newest version.',
  askingUpdateServer: 'Asking the update server…',
  versionIsThere: (version: Value, count: Value) => `Version ${version} is there (${count}).`,
  downloadingVersionOf: (version: Value, received: Value, count: Value) =>
    `Downloading version ${version}: ${received} of ${count}.`,
  versionIsDownloadedAndChecked: (version: Value) =>
    `Version ${version} is downloaded and checked. Your conversations are copied before it first opens them.`,
  installingVersion: (version: Value) => `Installing version ${version}…`,
  lookForNewVersions: 'Look for new versions',
  onceDayAfterStartIt:
    'Once a day, after the start. It tells the server nothing but that somebody asked. Nothing is downloaded until you say so.',
  downloaded: 'Downloaded',
  lookNow: 'Look now',
  download: 'Download',
  installAndStartAnew: 'Install and start anew',
  n0AlwaysTakesLikeliestWord: '0 always takes the likeliest word',
  topK: 'Top k',
  n0SwitchesItOff: '0 switches it off',
  topP: 'Top p',
  soThatReplyCanBe: 'So that a reply can be repeated',
  copied: (what: Value) => `${what} copied`,
  theAddress: 'the address',
  theKey: 'the key',
  providersCannotRun: (providers: Value) =>
    `Automatic takes the fastest that works here. ${providers} cannot run on this computer: Models says why.`,
  and: ' and ',
  language: 'Language',
  languages: { system: 'As the system', en: 'English', zh: '中文' },
  waiting: (count: number) => `, ${count} ${plural(count, 'waits', 'wait')}`,
  copyHolds: (conversations: number, turns: number) =>
    `${conversations} ${plural(conversations, 'conversation', 'conversations')}, ${turns} ${plural(turns, 'turn', 'turns')}`,
};
