import { plural } from './plural.ts';
import type { Value } from '../value.ts';

export const gallery = {
  goToItsPlace: 'Go to its place',
  gallery: 'Gallery',
  captionsDescriptionsFileNames: 'Captions, descriptions, file names',
  searchPictures: 'Search pictures',
  noPictureIsLikeThat: 'No picture is like that.',
  showAllPictures: 'Show all pictures',
  thereAreNoPicturesYet: 'There are no pictures yet.',
  everyPictureThatYouPut:
    'Every picture that you put into a message, and every drawing of a reply, is shown here.',
  goToChat: 'Go to the chat',
  pictures: 'Pictures',
  favourite: 'Favourite:',
  noCaption: 'No caption',
  inConversation: 'in the conversation',
  deleted: 'Deleted',
  filters: { all: 'All', drawn: 'Drawn', added: 'Added', favourites: 'Favourites' },
  pictureCount: (written: Value, count: number) =>
    `${written} ${plural(count, 'picture', 'pictures')}`,
};
