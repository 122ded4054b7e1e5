import type { Value } from '../value.ts';

export const composer = {
  isEmpty: (name: Value) => `“${name}” is empty.`,
  hasPicturesMayHaveUp: (name: Value, size: Value, maxBytes: Value) =>
    `“${name}” has ${size}; pictures may have up to ${maxBytes}.`,
  isNotPicturePngJpeg: (name: Value) =>
    `“${name}” is not a picture. PNG, JPEG, WebP, GIF and AVIF work.`,
  thereArePresetsAlreadyDelete: (mostPresets: Value) =>
    `There are ${mostPresets} presets already. Delete one first.`,
  pictureIsStillBeingAdded: 'A picture is still being added.',
  onePictureCouldNotBe: 'One picture could not be added. Remove it to send.',
  thisMessageIsTooLong: 'This message is too long for the model.',
  addPictures: 'Add pictures',
  yourMessageGoesWhenThis: 'Your message goes when this reply has ended. Escape keeps it here.',
  yourMessageStaysHere: 'Your message stays here.',
  messageWasShortenedToFit: 'The message was shortened to fit.',
  goesWhenThisReplyHas: 'Goes when this reply has ended.',
  keepItHere: 'Keep it here',
  enterSendsShiftAndEnter:
    'Enter sends, Shift and Enter begins a new line. Pictures stand in the text where you put them; with a picture selected, Alt and the arrow keys move it and Backspace removes it.',
  thisMessageTakesTokensAnd: (messageTokens: Value, room: Value) =>
    `This message takes ${messageTokens} tokens, and the model has room for ${room}. Shorten it, or let its middle be cut.`,
  ofTokens: (tokens: Value, room: Value) => `${tokens} of ${room} tokens`,
  beginningIsLeftOut: '· the beginning is left out',
  thisPictureIsNoLonger: 'This picture is no longer here. Remove it and add it again.',
  picture: (name: Value) => `Picture ${name}`,
  picture2: (name: Value, fault: Value) => `Picture ${name}: ${fault}`,
  adding: 'Adding',
  removePicture: (name: Value) => `Remove picture ${name}`,
  talkInWordsAndPictures: 'Talk in words and pictures',
  putPictureAnywhereInYour:
    'Put a picture anywhere in your message. The model sees it there, answers in words, and draws where a picture belongs. Everything stays on this machine.',
  textbindMiniIsSmallDemonstration:
    'TextBind mini is a small demonstration model: it recognises 135 simple things in drawn pictures, draws 222, and is often wrong. Add the full system under Models.',
  choosePictureOrDropOne: 'Choose a picture, or drop one anywhere here',
  pictureIsDrawnIntoReply: 'The picture is drawn into the reply',
  thenAskWhatItDrew: 'Then ask what it drew, or for another colour',
  withSamplePicture: 'With a sample picture',
  itCanTalkLittleToo: 'It can talk a little, too',
  messageAsItWasStays: 'The message as it was stays as another version.',
  thisConversationHasSettingsOf: 'This conversation has settings of its own.',
  asEverywhereWhatYouChange: 'As everywhere. What you change here is for this conversation alone.',
  presets: 'Presets',
  asEverywhere: 'As everywhere',
  toldToModelFirst: 'Told to the model first',
  forExampleAnswerInOne: 'For example: Answer in one sentence.',
  itIsPartOfWhat: 'It is part of what the model reads, so it takes of its room.',
  keepTheseAsPreset: 'Keep these as a preset',
  keep: 'Keep',
  yourPresets: 'Your presets',
  deletePreset: (name: Value) => `Delete the preset ${name}`,
  pictureFirst: 'Picture first',
  wordsOnly: 'Words only',
  stopEsc: 'Stop (Esc)',
  sendEnter: 'Send (Enter)',
  missingPicture: (alt: Value) => `Missing picture: ${alt}`,
  picturesFileCouldNotBe: "The picture's file could not be read.",
  thisMessageHasCharactersOne: (characters: Value, maxTextCharacters: Value) =>
    `This message has ${characters} characters; one message holds ${maxTextCharacters}.`,
  messageCanHaveUpTo: (maxParts: Value, count: Value) =>
    `A message can have up to ${maxParts} parts; this has ${count}.`,
  picture3: 'a picture',
  pictureIsAtEnd: 'The picture is at the end.',
  pictureMovedPast: (passed: Value) => `Picture moved past ${passed}.`,
  builtInPresets: { likeliest: 'Likeliest words', varied: 'Varied words', free: 'Free words' },
  wishChoices: { none: 'As the model decides', draw: 'Begin with a picture', words: 'Do not draw' },
  picturesInNextReply: {
    none: 'Pictures in the next reply: as the model decides',
    draw: 'Pictures in the next reply: begins with a picture',
    words: 'Pictures in the next reply: no pictures',
  },
  pictureName: 'picture',
};
