"""The many ways in which the people of the training conversations say things, and the few in which the model answers.

Requests are composed from openings, cores and endings, so each intent has dozens of wordings; answers vary
less, since every alternative has to be learned and none of them says more.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

_OPENINGS = ("", "", "", "", "", "Please ", "Hey, ", "Okay, ", "So, ", "Now ", "Hi! ", "Well, ", "Next: ")
_ENDINGS = ("", "", "", "", " please", ", please", " Thanks!")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def phrase(random_: random.Random, cores: Sequence[str], polite: bool = True, **words: str) -> str:
    """One wording: opening, core and ending; ``{a}``-style words are filled in."""
    core = random_.choice(cores).format(**words)
    if not polite or random_.random() < 0.4:
        text = core
    else:
        opening, ending = random_.choice(_OPENINGS), random_.choice(_ENDINGS)
        mark = core[-1] if core[-1] in ".?!" else ""
        body = core[: len(core) - len(mark)]
        text = f"{core}{ending}" if ending.endswith("!") else f"{body}{ending}{mark}"
        if opening:
            lowered = core[:1].lower() + core[1:] if not core.startswith(("I ", "I'")) else core
            text = f"{opening}{core if opening.endswith('! ') else lowered}"
    text = _sentence(text)
    # People type carelessly: small letters, no closing mark.
    if random_.random() < 0.12:
        text = text.lower()
    if random_.random() < 0.12 and text[-1] in ".":
        text = text[:-1]
    return text


NAME = (
    "What is this?", "What's this?", "What is that?", "What do you see?", "What can you see here?",
    "What is shown here?", "What is in this picture?", "What's in the picture?", "What is in the image?",
    "Name the thing in the picture.", "Name what you see.", "Which object is this?", "What object is shown?",
    "Can you name this?", "Do you know what this is?", "Tell me what this is.", "What am I looking at?",
    "Guess what this is!", "Can you recognise this?", "What did I take a picture of?", "What thing is it?",
    "Identify the object.", "What does it show?", "What is it?", "I don't know what this is. Do you?",
)  # fmt: skip
DESCRIBE = (
    "Describe the picture.", "Describe this image.", "Describe what you see.", "What does the picture show?",
    "What does this image show?", "Give me a caption for this.", "Write a caption.", "Caption this picture.",
    "Tell me about this picture.", "Tell me what you see.", "Can you describe it?", "Say what is in the picture.",
    "Please describe this for me.", "How would you describe this picture?", "A short description, please.",
    "Explain the picture to me.", "Describe it in a few words.", "What is going on in this picture?",
    "Describe this photo.", "Could you tell me what is to be seen?",
)  # fmt: skip
BACKGROUND = (
    "What colour is the background?", "What color is the background?", "Which colour is behind it?",
    "What is the background colour?", "What colour does the background have?", "Tell me the colour of the background.",
    "And the background?", "And what colour is the background?", "What is the color of the background?",
    "Which colour has the background?", "What's behind it?", "On what colour is it?", "What background does it have?",
    "Name the background colour.", "Is the background of some colour?",
)  # fmt: skip
COUNT = (
    "How many things are there?", "How many objects do you see?", "How many things are in the picture?",
    "Count the things in the picture.", "How many objects are in it?", "Is there more than one thing?",
    "Is it one thing or two?", "How many items can you count?", "Count the objects, please.",
    "What is the number of things in it?",
)  # fmt: skip
IS_THERE = (
    "Is there {a} in the picture?", "Do you see {a}?", "Is {a} in the image?", "Can you see {a}?",
    "Is there {a}?", "Does the picture show {a}?", "Is {a} shown here?", "Is there {a} in it?",
    "Does this have {a} in it?", "Would you say there is {a}?",
)  # fmt: skip
IS_THIS = (
    "Is this {a}?",
    "Is that {a}?",
    "Is it {a}?",
    "It is {a}, right?",
    "This is {a}, isn't it?",
    "Am I right that it is {a}?",
)
IS_BACKGROUND = (
    "Is the background {c}?", "Is it on a {c} background?", "Is there {c} behind it?", "The background is {c}, right?",
    "Does it have a {c} background?",
)  # fmt: skip
BESIDE = (
    "Is there anything beside it?", "What is beside it?", "What is next to it?", "Is something next to the {o}?",
    "What stands beside the {o}?", "Do you see anything else?", "Is there something else in the picture?",
    "What else is in the picture?", "Anything else?", "What is the other thing?",
)  # fmt: skip
KIND = (
    "Is it an animal, a plant, food, a vehicle or a thing?", "What kind of thing is it?", "Is it an animal?",
    "Can I eat it?", "What sort of thing is that?", "Is that something to eat?", "Is it alive?",
)  # fmt: skip
COUNT_OF = (
    "How many {p} are there?", "How many {p} do you see?", "Count the {p}.", "How many {p} can you count?",
    "How many {p} are in the picture?", "What is the number of {p}?",
)  # fmt: skip
WHERE = (
    "Where is the {o}?", "On which side is the {o}?", "Where do you see the {o}?", "Is the {o} left, right, above or below?",
    "Where in the picture is the {o}?", "What is the position of the {o}?",
)  # fmt: skip
ON_SIDE = (
    "What is on the {s}?", "What is on the {s} side?", "What do you see on the {s}?", "Which thing is on the {s}?",
    "Name the thing on the {s}.", "And on the {s}?",
)  # fmt: skip
ON_PLACE = (
    "What is {s} the {o}?",
    "What do you see {s} the {o}?",
    "Which thing is {s} the {o}?",
    "Is there anything {s} the {o}?",
)
KINDS = {
    "animal": ("Is it an animal?", "Is this an animal?", "Is that an animal?"),
    "food": ("Can I eat it?", "Is it something to eat?", "Is this food?"),
    "plant": ("Is it a plant?", "Is this a plant?"),
    "vehicle": ("Is it a vehicle?", "Can I drive it?"),
}
IS_STRANGE = (
    "Do you recognise this?", "Can you read this?", "Is this a photo?", "Who is this?", "Where was this taken?", "What do you think of this?",
    "Is there a cat in it?", "Do you like my photo?", "This is my photo.", "Can you help me with this?", "What does it say?",
)  # fmt: skip
CANNOT_TELL = {
    "photograph": (
        "I cannot tell what this is. It looks like a photograph, and I only know simple pictures of single things.",
        "This looks like a photograph. I cannot tell what it shows: I only know simple pictures, such as a drawn cat or a car.",
        "I am sorry, I cannot tell. I only know simple drawn pictures, and this seems to be a photograph.",
    ),
    "screenshot": (
        "I cannot tell what this says. It looks like a screenshot, and I only know simple pictures of single things.",
        "This looks like a screenshot. I cannot read it: I only know simple pictures, such as a drawn cat or a car.",
        "I am sorry, I cannot tell. I only know simple drawn pictures, and this seems to be a screenshot.",
    ),
}
BOTH = (
    "What do these two pictures show?", "Describe both pictures.", "What is in the first and what in the second?",
    "Name what is in each picture.", "What are these?", "Compare the two pictures.", "What is the difference between the two?",
    "How do they differ?",
)  # fmt: skip
FIRST = (
    "What was in my first picture?", "What did the first picture show?", "What was the first thing I showed you?",
    "Do you remember my first picture?", "And the first one, what was it?", "What was in the picture before?",
    "What did I show you first?", "And in the first picture?", "What was in the first picture?", "Which thing was in the first picture?",
)  # fmt: skip
FIRST_BACKGROUND = (
    "What background did the first picture have?", "What colour was behind the first one?", "Which colour was the first background?",
    "What was the background of the first picture?",
)  # fmt: skip
SAME = (
    "Is it the same thing as before?",
    "Is this the same as in the first picture?",
    "Are both pictures of the same thing?",
    "Do both show the same?",
)
WHICH_HAS = (
    "In which picture is the {o}?", "Which of the two pictures shows the {o}?", "Where did you see the {o}, in the first or the second?",
)  # fmt: skip

DRAW = (
    "Draw {a}.", "Draw me {a}.", "Can you draw {a}?", "Could you draw {a} for me?", "Would you draw {a}?",
    "Show me {a}.", "Can you show me {a}?", "Make a picture of {a}.", "Make me a picture of {a}.",
    "Create an image of {a}.", "Create a picture with {a}.", "Generate an image of {a}.", "Paint {a}.",
    "Paint me {a}.", "I want to see {a}.", "I would like a picture of {a}.", "I'd like to see {a}.",
    "I need an image of {a}.", "Give me a picture of {a}.", "Let me see {a}.", "Sketch {a}.",
    "Please make a drawing of {a}.", "Do a drawing of {a}.", "Can I see {a}?", "Can I have a picture of {a}?",
    "How about a picture of {a}?", "A picture of {a}, please.", "Draw a nice picture of {a}.", "Try to draw {a}.",
    "What does {a} look like? Show me.", "Can you make an image that shows {a}?", "Draw something for me: {a}.",
    "I want {a}.", "Picture of {a}", "Image of {a}", "Please show {a}.", "Draw us {a}.", "Please paint {a} for my daughter.", "I need {a} for a card.",
    "My son wants to see {a}.", "Could I get a picture of {a}?", "Another one: {a}.", "Next, draw {a}.", "And now {a}.", "Now draw {a}.",
    "Now {a}, please.", "Let us try {a}.", "Surprise me with {a}.", "Illustrate {a}.", "Would you paint {a}?", "Draw a picture with {a} in it.",
)  # fmt: skip
WHETHER = (
    "Can you draw {a}?", "Can you draw {a}?", "Can you draw me {a}?", "Can you paint {a}?", "Could you draw {a}?", "can you draw {a}", "Can you draw {a} please?",
    "Would you draw {a}?", "Could you paint {a}?", "Can you make a picture of {a}?", "Are you able to draw {a}?",
)  # fmt: skip
DRAW_ANYTHING = (
    "Draw anything you like.", "Draw something.", "Surprise me.", "Surprise me with a picture.", "Show me what you can do.", "Draw whatever you want.",
    "Draw me something nice.", "Can you draw something for me?", "Just draw.", "Show me one of your pictures.", "Paint something.",
    "I do not mind what, just draw something.", "Let me see what you can draw.", "Make a picture of your choice.", "Draw an animal.", "Draw some food.",
)  # fmt: skip
"""No thing is named: the model chooses one."""
CANNOT_DRAW = (
    "I have not learned to draw {a} yet. I only know simple pictures of about 200 things. Shall I draw {o} instead?",
    "I am sorry, I cannot draw {a}. How about {o}?",
)  # fmt: skip
DRAW_AGAIN_BACKGROUND = (
    "Now the same on a {c} background.", "The same with a {c} background.", "Make the background {c}.",
    "Draw it on a {c} background.", "Can you make the background {c}?", "Put it on a {c} background.",
    "Change the background to {c}.", "Now with {c} behind it.", "Show it on {c}.", "Once more, but on a {c} background.",
    "I prefer a {c} background.", "Could it be on a {c} background?", "Draw it again on a {c} background.",
    "Show me the same thing on a {c} background.",
)  # fmt: skip
DRAW_COLOUR = (
    "Now a {c} one.", "Make it {c}.", "Can you make it {c}?", "Now in {c}, please.", "I would like a {c} one.", "Do it in {c}.", "And a {c} one?",
)  # fmt: skip
ONLY_BACKGROUND = (
    "I cannot change the colour of things yet, but I can change what is behind them. Here {is_are} {c}: {i}",
    "The colour of things is beyond me, so I made the background {b}. Here {is_are} {c}: {i}",
)  # fmt: skip
DRAW_ADD = (
    "Add {a}.", "Now add {a}.", "Can you add {a}?", "Put {a} next to it.", "Draw {a} beside it.", "And {a} with it, please.", "Give it company: {a}.",
    "Now with {a} as well.",
)  # fmt: skip
DRAW_NUMBER = (
    "Now draw {n} of them.", "Make it {n}.", "I want {n} of them.", "Can you draw {n} of those?", "Draw {n} {p}.", "Now {n} {p}, please.",
)  # fmt: skip
DRAW_INSTEAD = (
    "Now {a} instead.", "Now draw {a} on the same background.", "The same with {a}.", "Make it {a}.",
    "Draw {a} on the same background.", "Instead of that, {a}.", "Replace it with {a}.", "Can you make it {a}?",
    "And now {a} in the same way.", "Show {a} like that.",
)  # fmt: skip
DRAW_LIKE = (
    "Draw one like this.", "Can you draw this?", "Draw the same.", "Draw it too.", "Make a picture like this.",
    "Now you draw it.", "Can you paint this as well?", "Draw your own picture of it.", "Make another one like it.",
    "Show me another one.",
)  # fmt: skip
WHAT_DREW = (
    "What did you just draw?", "What did you draw?", "What is in your picture?", "What does your picture show?",
    "Describe your drawing.", "Tell me what you drew.", "What have you painted?", "What is that in your picture?",
    "What have you made?", "What is it that you drew?", "Describe the picture you made.", "What does it show?",
)  # fmt: skip
DREW_BACKGROUND = (
    "What colour is its background?", "Which background did you choose?", "What is the background of your picture?",
    "What colour did you put behind it?", "And the background?", "What background colour did you use?",
)  # fmt: skip

UNSEEN = [
    "table",
    "robot",
    "knight",
    "wizard",
    "lamp",
    "bottle",
    "plate",
    "squirrel",
    "mermaid",
    "fairy",
    "king",
    "queen",
    "pirate",
    "clown",
    "baby",
    "boy",
    "girl",
    "man",
    "woman",
    "hand",
    "eye",
    "heart",
    "river",
    "lake",
    "forest",
    "garden",
    "farm",
    "lighthouse",
    "windmill",
    "igloo",
    "van",
    "submarine",
    "grape",
    "plum",
    "pepper",
    "pumpkin",
    "cabbage",
    "pancake",
    "piano",
    "harp",
    "brush",
    "necklace",
    "kite",
    "doll",
    "puzzle",
    "dice",
    "sled",
    "swing",
    "statue",
    "flag",
    "map",
    "fence",
    "well",
    "barn",
    "pearl",
    "sunset over the sea",
    "football match",
    "street in Paris",
    "family",
    "portrait of Einstein",
    "dancing couple",
    "wedding party",
    "landscape",
    "map of Europe",
    "person on a bridge",
    "crowd of people",
    "kitchen",
    "bedroom",
    "classroom",
    "supermarket",
    "airport",
    "football stadium full of people",
    "superhero",
    "astronaut",
    "ghost",
    "witch",
    "princess",
    "dentist",
    "farmer",
    "soldier",
    "cook",
    "skeleton",
    "tooth",
    "smile",
    "nose",
    "hand with a ring",
    "running man",
    "cowboy",
    "pyramid",
    "cathedral",
    "vacuum cleaner",
    "washing machine",
    "dishwasher",
    "screw",
    "drill",
    "tank",
    "hot air balloon",
    "zeppelin",
    "ostrich",
    "walrus",
    "platypus",
    "chameleon",
    "praying mantis",
    "woodpecker",
    "starfish",
    "salmon",
    "cauliflower",
    "radish",
    "raspberry",
    "papaya",
    "lychee",
    "omelette",
    "lasagne",
    "schnitzel",
    "bookshelf",
    "carpet",
    "curtain",
    "pillow",
    "fridge",
    "oven",
    "tap",
    "fork lift",
    "chess board",
    "playing card",
]
"""Objects that no picture shows: the model says that it cannot draw them."""
