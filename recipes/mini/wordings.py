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
BOTH = (
    "What do these two pictures show?", "Describe both pictures.", "What is in the first and what in the second?",
    "Name what is in each picture.", "What are these?", "Compare the two pictures.",
)  # fmt: skip
FIRST = (
    "What was in my first picture?", "What did the first picture show?", "What was the first thing I showed you?",
    "Do you remember my first picture?", "And the first one, what was it?",
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
)  # fmt: skip
DRAW_AGAIN_BACKGROUND = (
    "Now the same on a {c} background.", "The same with a {c} background.", "Make the background {c}.",
    "Draw it on a {c} background.", "Can you make the background {c}?", "Put it on a {c} background.",
    "Change the background to {c}.", "Now with {c} behind it.", "Show it on {c}.", "Once more, but on a {c} background.",
    "I prefer a {c} background.", "Could it be on a {c} background?", "Draw it again on a {c} background.",
    "Show me the same thing on a {c} background.",
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

GREETING = (
    ("Hi", "Hello", "Hey", "Hi there!", "Hello!", "Good morning", "Good evening!", "Hey there", "Hello, how are you?",
     "Hi! How are you?", "Good day", "Hello there!"),
    ("Hello! How can I help you?", "Hello! We can talk, look at your pictures, or I can draw something for you.",
     "Hi! Nice to meet you. What shall we do?"),
)  # fmt: skip
THANKS = (
    ("Thanks!", "Thank you.", "Thank you very much!", "Great, thanks", "Nice!", "Well done!", "That is beautiful.",
     "I like it.", "Cool!", "Wonderful, thank you.", "Good job!", "Perfect."),
    ("You are welcome!", "I am glad that you like it.", "My pleasure!"),
)  # fmt: skip
GOODBYE = (
    ("Bye", "Goodbye!", "See you", "That's all.", "I have to go now.", "Good night!", "See you tomorrow."),
    ("Goodbye!", "Goodbye, see you soon!"),
)  # fmt: skip
ABOUT_ITSELF = (
    (("Can you draw?", "Are you able to draw?", "Do you draw pictures?", "Do you like to draw?", "Can you make images?"),
     "Yes, I can draw simple pictures. What would you like to see?"),
    (("Can you see pictures?", "Can you look at images?", "Do you understand pictures?", "Can I show you a picture?"),
     "Yes, add a picture to your message and I will tell you what I see."),
    (("Who are you?", "What are you?", "What is your name?", "Tell me about yourself.", "Are you a person?"),
     "I am TextBind mini, a small model that can talk, look at pictures and draw."),
    (("What can you do?", "How can you help me?", "What are you good at?", "What should I ask you?"),
     "I can talk with you, tell you what is in a picture, and draw simple pictures."),
    (("How are you?", "How are you doing?", "How do you feel?", "How is it going?"), "I am fine, thank you! How are you?"),
    (("How do you draw?", "How do you make pictures?"), "I write a short caption and a small image model draws it."),
    (("I like drawing.", "I am learning to draw.", "My sister draws well.", "I love paintings."),
     "That is nice! Drawing is a good way to look closely at things."),
    (("I took some pictures yesterday.", "I have a new camera.", "I like photographs."),
     "That sounds good! You can show me one of your pictures."),
    (("Don't draw anything, just say hello.", "No picture please, just words.", "Please do not draw now."),
     "All right, only words. What shall we talk about?"),
)  # fmt: skip
NO_PICTURE_YET = (
    ("What is in my picture?", "What does my picture show?", "Describe my picture.", "Describe the image.",
     "What do you see in the picture?", "What colour is the background of my picture?", "Name the thing in my photo."),
    ("I do not see a picture yet. Please add one.",),
)  # fmt: skip

SMALL_TALK = (
    ("I am feeling tired today.", "I am sorry to hear that. A short rest may help."),
    ("I had a great day!", "That is wonderful! What made it so good?"),
    ("I am bored.", "Shall we play a little? Show me a picture and I will name it."),
    ("I am a little sad.", "I am sorry. Would you like to tell me about it?"),
    ("I love animals.", "Me too! Which animal do you like best?"),
    ("My favourite colour is blue.", "Blue is a lovely colour, like the sky and the sea."),
    ("I am going on holiday tomorrow.", "How nice! Have a good trip."),
    ("It is raining here.", "Then it is a good day to stay inside with a book."),
    ("My dog is called Max.", "Max is a good name for a dog!"),
    ("I have two cats.", "How lovely! What are their names?"),
    ("Do you like music?", "I cannot hear music, but I like to talk about it."),
    ("Tell me a joke.", "Why did the bicycle fall over? Because it was two tired."),
    ("Tell me a fun fact.", "Honey never spoils if it is kept well closed."),
    ("Tell me a fun fact about cats.", "Cats sleep for twelve to sixteen hours a day."),
    ("Tell me a fun fact about elephants.", "Elephants can recognise themselves in a mirror."),
    ("Is a whale a fish?", "No, a whale is a mammal."),
    ("What do bees make?", "Bees make honey."),
    ("What do cows eat?", "Cows eat grass and hay."),
    ("What do cats eat?", "Cats eat meat and fish."),
    ("What do pandas eat?", "Pandas eat mostly bamboo."),
    ("What do rabbits eat?", "Rabbits eat grass, hay and vegetables."),
    ("Where do penguins live?", "Penguins live in the southern half of the world, many of them in Antarctica."),
    ("Where do camels live?", "Camels live in deserts."),
    ("Where do sharks live?", "Sharks live in the sea."),
    ("Where do frogs live?", "Frogs live near ponds and other fresh water."),
    ("What is the largest animal?", "The blue whale is the largest animal."),
    ("What is the fastest land animal?", "The cheetah is the fastest land animal."),
    ("How many legs does a spider have?", "A spider has eight legs."),
    ("How many legs does a dog have?", "A dog has four legs."),
    ("How many days are in a week?", "A week has seven days."),
    ("How many days are in a year?", "A year has 365 days, and a leap year has 366."),
    ("What comes after Monday?", "Tuesday comes after Monday."),
    ("What is two plus two?", "Two plus two is four."),
    ("What is five plus three?", "Five plus three is eight."),
    ("What is ten minus four?", "Ten minus four is six."),
    ("What colour is the sky?", "On a clear day the sky is blue."),
    ("What colour is grass?", "Grass is green."),
    ("What colour is a lemon?", "A lemon is yellow."),
    ("What colour is snow?", "Snow is white."),
    ("What is rain?", "Rain is water that falls from clouds in drops."),
    ("What is a volcano?", "A volcano is a mountain from which hot lava can come out."),
    ("What is a rocket?", "A rocket is a vehicle that can fly into space."),
    ("What is the moon?", "The moon goes around the earth and shines at night with the sun's light."),
    ("Why is the sky blue?", "Air scatters blue light more than red light, so the sky looks blue."),
    ("What should I cook for dinner?", "How about pasta with tomatoes and a fresh salad?"),
    ("What should I have for breakfast?", "You could have bread with honey and some fruit."),
    ("Can you recommend a good book?", "Try The Little Prince: it is short and wise."),
    ("Give me a name for a cat.", "How about Luna?"),
    ("Give me a name for a dog.", "How about Max?"),
    ("What is the opposite of hot?", "The opposite of hot is cold."),
    ("What is the opposite of big?", "The opposite of big is small."),
    ("Write a short sentence about the sea.", "The sea is calm and blue in the morning sun."),
    ("Write one line about spring.", "In spring the trees wake up and the birds begin to sing."),
    ("Do you like apples?", "I cannot eat, but apples look good in pictures!"),
    ("Which do you prefer, cats or dogs?", "I like both: cats are quiet and dogs are loyal."),
)  # fmt: skip
"""Written by hand: where the small language model itself answers badly or cannot know what it is."""

UNSEEN = [
    "dragon",
    "tree",
    "boat",
    "cup",
    "table",
    "flower",
    "mountain",
    "bridge",
    "train",
    "robot",
    "knight",
    "wizard",
    "ship",
    "book",
    "shoe",
    "hat",
    "shirt",
    "door",
    "window",
    "lamp",
    "bed",
    "bottle",
    "spoon",
    "knife",
    "plate",
    "bird",
    "fish",
    "chicken",
    "goat",
    "donkey",
    "squirrel",
    "beaver",
    "swan",
    "eagle",
    "seal",
    "lobster",
    "jellyfish",
    "worm",
    "dinosaur",
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
    "cloud",
    "river",
    "lake",
    "beach",
    "island",
    "forest",
    "garden",
    "farm",
    "church",
    "tower",
    "lighthouse",
    "windmill",
    "igloo",
    "tram",
    "truck",
    "van",
    "scooter",
    "ship's anchor",
    "canoe",
    "submarine",
    "spaceship",
    "satellite",
    "planet",
    "cherry",
    "grape",
    "peach",
    "plum",
    "mango",
    "coconut",
    "tomato",
    "potato",
    "pepper",
    "corn",
    "pumpkin",
    "cabbage",
    "bread",
    "cheese",
    "sandwich",
    "soup",
    "pancake",
    "waffle",
    "chocolate bar",
    "piano",
    "violin",
    "flute",
    "harp",
    "clock",
    "watch",
    "phone",
    "radio",
    "computer",
    "mouse trap",
    "pencil",
    "brush",
    "scissors case",
    "ladder",
    "bucket",
    "broom",
    "axe",
    "saw",
    "sword",
    "shield",
    "ring",
    "necklace",
    "mirror",
    "basket",
    "box",
    "bag",
    "suitcase",
    "kite",
    "doll",
    "puzzle",
    "dice",
    "ball",
    "sled",
    "swing",
    "fountain",
    "statue",
    "flag",
    "map",
    "globe",
    "compass",
    "telescope",
    "fence",
    "well",
    "barn",
    "snowflake",
    "leaf",
    "seashell",
    "pearl",
    "feather",
    "nest",
    "egg",
]
"""Objects that no picture shows: asked for in last turns, so that the model copies what was asked for."""
