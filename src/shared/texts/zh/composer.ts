import type { Value } from '../value.ts';
import type { composer as english } from '../en/composer.ts';

export const composer: typeof english = {
  isEmpty: (name: Value) => `“${name}”是空文件。`,
  hasPicturesMayHaveUp: (name: Value, size: Value, maxBytes: Value) =>
    `“${name}”大小为 ${size}；图片最大 ${maxBytes}。`,
  isNotPicturePngJpeg: (name: Value) => `“${name}”不是图片。支持 PNG、JPEG、WebP、GIF 和 AVIF。`,
  thereArePresetsAlreadyDelete: (mostPresets: Value) =>
    `已有 ${mostPresets} 个预设。请先删除一个。`,
  pictureIsStillBeingAdded: '一张图片仍在添加中。',
  onePictureCouldNotBe: '有一张图片无法添加。移除后才能发送。',
  thisMessageIsTooLong: '此消息对模型来说太长。',
  addPictures: '添加图片',
  yourMessageGoesWhenThis: '回复结束后会发送您的消息。按 Escape 可留在这里。',
  yourMessageStaysHere: '您的消息留在这里。',
  messageWasShortenedToFit: '消息已缩短到可容纳的长度。',
  goesWhenThisReplyHas: '回复结束后发送。',
  keepItHere: '留在这里',
  enterSendsShiftAndEnter:
    'Enter 发送，Shift 加 Enter 换行。图片就在您放入文字的位置；选中图片后，Alt 加方向键可移动它，Backspace 可移除它。',
  thisMessageTakesTokensAnd: (messageTokens: Value, room: Value) =>
    `此消息需要 ${messageTokens} 个 token，而模型只能容纳 ${room} 个。请缩短消息，或让应用截去中间部分。`,
  ofTokens: (tokens: Value, room: Value) => `${tokens} / ${room} token`,
  beginningIsLeftOut: '· 开头部分未读入',
  thisPictureIsNoLonger: '此图片已不存在。请移除后重新添加。',
  picture: (name: Value) => `图片 ${name}`,
  picture2: (name: Value, fault: Value) => `图片 ${name}：${fault}`,
  adding: '正在添加',
  removePicture: (name: Value) => `移除图片 ${name}`,
  talkInWordsAndPictures: '用文字和图片交谈',
  putPictureAnywhereInYour:
    '图片可以放在消息的任何位置。模型会在那里看到它，用文字回答，并在需要图片的地方绘图。一切都留在这台电脑上。',
  textbindMiniIsSmallDemonstration:
    'TextBind mini 是一个小型演示模型，只懂英文：它能认出图画中的 135 种简单事物，能画 222 种，也常常出错。完整系统可在“模型”中添加。',
  choosePictureOrDropOne: '选择一张图片，或拖到这里任意位置',
  pictureIsDrawnIntoReply: '图片会画在回复里',
  thenAskWhatItDrew: '然后可以问它画了什么，或换一种颜色',
  withSamplePicture: '用一张示例图片',
  itCanTalkLittleToo: '它也能聊几句',
  messageAsItWasStays: '原来的消息会作为另一个版本保留。',
  thisConversationHasSettingsOf: '此对话有专用的设置。',
  asEverywhereWhatYouChange: '与通用设置相同。在这里的改动只用于此对话。',
  presets: '预设',
  asEverywhere: '与通用设置相同',
  toldToModelFirst: '先告诉模型的话',
  forExampleAnswerInOne: '例如：Answer in one sentence.',
  itIsPartOfWhat: '它是模型读入内容的一部分，会占用其容量。',
  keepTheseAsPreset: '把这些保存为预设',
  keep: '保存',
  yourPresets: '您的预设',
  deletePreset: (name: Value) => `删除预设 ${name}`,
  pictureFirst: '先画图',
  wordsOnly: '仅文字',
  stopEsc: '停止（Esc）',
  sendEnter: '发送（Enter）',
  missingPicture: (alt: Value) => `图片缺失：${alt}`,
  picturesFileCouldNotBe: '无法读取图片文件。',
  thisMessageHasCharactersOne: (characters: Value, maxTextCharacters: Value) =>
    `此消息有 ${characters} 个字符；一条消息最多 ${maxTextCharacters} 个。`,
  messageCanHaveUpTo: (maxParts: Value, count: Value) =>
    `一条消息最多有 ${maxParts} 个部分；此消息有 ${count} 个。`,
  picture3: '一张图片',
  pictureIsAtEnd: '图片已在末尾。',
  pictureMovedPast: (passed: Value) => `图片已移过${passed}。`,
  builtInPresets: { likeliest: '最可能的用词', varied: '多样的用词', free: '自由的用词' },
  wishChoices: { none: '由模型决定', draw: '以图片开头', words: '不绘图' },
  picturesInNextReply: {
    none: '下一条回复中的图片：由模型决定',
    draw: '下一条回复中的图片：以图片开头',
    words: '下一条回复中的图片：不绘图',
  },
  pictureName: '图片',
};
