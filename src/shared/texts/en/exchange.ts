import { plural } from './plural.ts';
import type { Value } from '../value.ts';

export const exchange = {
  showInFolder: 'Show in folder',
  exportedAsShownTo: (path: Value, report: Value) => `Exported as shown, to ${path}${report}`,
  findConversations: 'Find conversations',
  nothingFound: 'Nothing found.',
  exportConversations: 'Export conversations',
  exporting: 'Exporting',
  importing: 'Importing',
  lookingAtIt: 'Looking at it',
  exported: 'Exported',
  importConversations: 'Import conversations',
  imported: 'Imported',
  thatDidNotWork: 'That did not work',
  readingFile: 'Reading the file…',
  beginning: 'Beginning…',
  howFar: 'Done',
  done: 'Done',
  importIt: 'Import',
  showConversations: 'Show conversations',
  someOfThem: 'Some of them',
  all: 'All',
  allOf: (total: Value) => `All ${total}`,
  which: 'Which',
  conversationsToExport: 'Conversations to export',
  as: 'As',
  exportIt: 'Export',
  exportCount: (count: Value) => `Export ${count}`,
  newConversations: 'New conversations',
  andMore: (more: Value) => `and ${more} more`,
  nothingThatIsHereIs: 'Nothing that is here is changed or taken away.',
  n1ConversationIsLeftOut: '1 conversation is left out',
  conversationsAreLeftOut: (faultCount: Value) => `${faultCount} conversations are left out`,
  formats: {
    md: { name: 'Markdown', says: 'Text with its pictures in a folder beside it' },
    html: { name: 'Web page', says: 'One file with everything in it, as it looks here' },
    pdf: { name: 'PDF', says: 'To print or to send' },
    textbind: { name: 'TextBind JSON', says: 'Training data for stage 2, as Training reads it' },
    zip: {
      name: 'Archive',
      says: 'Complete: every version, picture and recipe; can be imported again',
    },
  },
  underOneMegabyte: 'under 1 MB',
  newHere: (count: number) =>
    `${count} ${plural(count, 'conversation is', 'conversations are')} new here.`,
  ofWhichNew: (total: number, fresh: number) =>
    `${total} ${plural(total, 'conversation', 'conversations')}, of which ${fresh} ${plural(fresh, 'is', 'are')} new.`,
  hereAlready: (count: number) =>
    `${count} ${plural(count, 'is', 'are')} here already, and unchanged.`,
  extendedNow: (count: number) =>
    `${count} ${plural(count, 'was', 'were')} here without some of this, which stands beside it now.`,
  toExtend: (count: number) =>
    `${count} ${plural(count, 'is', 'are')} here without some of this, or in the trash: what is missing comes beside what is here.`,
  turnsWereAdded: (turns: number) => `${turns} ${plural(turns, 'turn', 'turns')} were added.`,
  turnsAreAdded: (turns: number) => `${turns} ${plural(turns, 'turn', 'turns')} are added.`,
  turnsAndPicturesWereAdded: (turns: number, pictures: number, size: Value) =>
    `${turns} ${plural(turns, 'turn', 'turns')} and ${pictures} ${plural(pictures, 'picture', 'pictures')} (${size}) were added.`,
  turnsAndPicturesAreAdded: (turns: number, pictures: number, size: Value) =>
    `${turns} ${plural(turns, 'turn', 'turns')} and ${pictures} ${plural(pictures, 'picture', 'pictures')} (${size}) are added.`,
  pictureOf: (done: Value, total: Value) => `Picture ${done} of ${total}`,
  conversationOf: (done: Value, total: Value) => `Conversation ${done} of ${total}`,
  conversationsAreIn: (count: number, path: Value, lacking: Value) =>
    `${count} ${plural(count, 'conversation is', 'conversations are')} in ${path}.${lacking}`,
  turnsLeftOut: (count: number) =>
    `${count} ${plural(count, 'turn is', 'turns are')} left out: training needs a message and its reply in turn.`,
  picturesMissing: (count: number) =>
    `${plural(count, `The file of ${count} picture`, `The files of ${count} pictures`)} could not be found.`,
  presetsWereAdded: (count: number) => `${count} ${plural(count, 'preset', 'presets')} were added.`,
  presetsAreAdded: (count: number) => `${count} ${plural(count, 'preset', 'presets')} are added.`,
};
