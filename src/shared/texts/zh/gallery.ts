import type { Value } from '../value.ts';
import type { gallery as english } from '../en/gallery.ts';

export const gallery: typeof english = {
  goToItsPlace: '转到所在位置',
  gallery: '图库',
  captionsDescriptionsFileNames: '描述、替代文字、文件名',
  searchPictures: '搜索图片',
  noPictureIsLikeThat: '没有符合条件的图片。',
  showAllPictures: '显示所有图片',
  thereAreNoPicturesYet: '还没有图片。',
  everyPictureThatYouPut: '您放入消息的每张图片，以及回复中绘制的每张图片，都会显示在这里。',
  goToChat: '前往对话',
  pictures: '图片',
  favourite: '已收藏：',
  noCaption: '没有描述',
  inConversation: '所在对话',
  deleted: '已删除',
  filters: { all: '全部', drawn: '绘制的', added: '添加的', favourites: '收藏' },
  pictureCount: (written: Value) => `${written} 张图片`,
};
