/** Words of which the stored conversations of the bench are made. */
export const fillerWords =
  'harbour lighthouse keeper window apple table river mountain paper yellow morning engine garden letter bridge'.split(
    ' ',
  );

/** Rows that the window's list asks for at once. */
export const pageSize = 100;
