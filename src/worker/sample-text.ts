/** Some 300 words on which the layers of a language model are measured: a talk, a story, a recipe, some facts. */
export const sampleText = `The old lighthouse stood at the end of the pier, and every evening its keeper climbed the hundred and
forty steps to trim the lamp. He had done so for thirty years. "Why do you not let a machine do it?" asked the girl from the
village, who had carried up his bread. "A machine could turn the light," he said, "but who would wave to the boats?" She thought
about that all the way down.

User: What should I cook tonight? I have eggs, two tomatoes, an onion and some rice.
Assistant: You could make fried rice. Boil the rice first and let it cool. Cut the onion into small pieces, fry it in oil until it
is soft, then add the tomatoes. Push everything to one side of the pan, break the eggs into the free space and stir them. At last
mix in the rice with a little salt, and let it become crisp at the bottom.
User: Thank you! How long does it take?
Assistant: About twenty minutes, most of which is waiting for the rice.

Water boils at 100 degrees Celsius at sea level, and at about 93 degrees at a height of two thousand metres, because the air is
thinner there. The Moon goes round the Earth once in 27.3 days. Paris is the capital of France; the river that flows through it
is called the Seine. A triangle whose sides are three, four and five has a right angle. Shakespeare was born in Stratford in 1564
and wrote Hamlet, Macbeth and King Lear. Most birds can fly, but penguins and ostriches cannot.

A photograph shows a brown dog that runs along a beach with a red ball in its mouth. Behind it the waves are breaking, and far away
a white sail can be seen against the evening sky.
`;
