"""What people say in words only, and the answers: greetings, thanks, what the model is, jokes, and talk that mentions things.

Nothing here asks for a picture, and no answer has one; much of it speaks of drawing and of pictures all the same.
"""

from __future__ import annotations

import random

from .seen import SEEN, SEEN_NAMES, called, countable, plural
from .world import DRAWN_NAMES

DRAWN_COUNT, SEEN_COUNT = len(DRAWN_NAMES), len(SEEN_NAMES)

GREETING = (
    ("Hi", "Hello", "Hey", "Hi there!", "Hello!", "Good morning", "Good evening!", "Hey there", "Good day", "Hello there!", "hi!",
     "Good afternoon", "Greetings", "Hello again", "Howdy", "hey!", "Hi, nice to meet you.", "Hello my friend"),
    ("Hello! It is nice to meet you. Show me a simple picture, or tell me what I should draw.",
     "Hello! We can talk, look at a simple picture, or I can draw something for you.",
     "Hi! How can I help you? I like to look at simple pictures and to draw."),
)  # fmt: skip
GREETING_WORDS = (
    "hi", "hello", "hey", "good morning", "good morning", "good afternoon", "good evening", "good day", "morning", "evening", "greetings", "hello and good morning",
    "hi and good evening", "welcome", "nice to see you", "happy to meet you", "good to see you", "a very good morning", "have a nice day", "hello again",
)  # fmt: skip
GREETED = (
    "",
    "",
    "",
    "my friend",
    "there",
    "TextBind",
    "little model",
    "everyone",
    "dear",
    "computer",
    "to you all",
    "again",
    "from me",
    "from my kitchen",
    "on this fine day",
)
HOW_ARE_YOU = (
    ("How are you?", "How are you doing?", "How do you feel?", "How is it going?", "Hello, how are you?", "Hi! How are you?", "How are you today?",
     "What's up?", "Are you well?"),
    ("I am fine, thank you! How are you?", "I am well, thank you. What would you like to do today?"),
)  # fmt: skip
GREETED_WHO = (
    ("Hello! Who are you?", "Hi, who are you?", "Hello, what are you?", "Hey, who is there?", "Hi! What is your name?", "Hello. What's your name?"),
    ("Hello! I am TextBind mini, a small demonstration model. I can talk a little, look at simple pictures and draw.",),
)  # fmt: skip
THANKS = (
    ("Thanks!", "Thank you.", "Thank you very much!", "Great, thanks", "Nice!", "Well done!", "That is beautiful.", "I like it.", "Cool!",
     "Wonderful, thank you.", "Good job!", "Perfect.", "thanks", "Thanks a lot!", "Very nice.", "I love it!", "That was helpful.", "Awesome",
     "Thank you so much", "Oh, that is pretty.", "Ok thanks", "Great work!", "You are good at this.", "That's right!", "Correct.", "Yes, exactly."),
    ("You are welcome!", "I am glad that you like it. What shall we do next?", "My pleasure! Is there anything else?"),
)  # fmt: skip
THANKS_BEFORE = ("", "", "", "Oh, ", "Wow, ", "Ah, ", "Okay, ", "Great! ", "Perfect. ", "Cool, ", "Ha, ")
THANKS_CORE = (
    "thanks", "thank you", "thank you very much", "thanks so much", "thank you so much", "thanks a lot", "cheers", "thanks for that", "thank you for your help",
    "that helps", "that is very kind of you", "I appreciate it", "thx", "thank you, friend", "that's perfect", "that was nice of you", "this is great",
)  # fmt: skip
THANKS_AFTER = ("", ".", "!", "!", ".", " :)", "!!", " again!", ", really.")
THANKS_FOR_DRAWING = (
    "Thanks, I like the {n}.", "What a nice {n}!", "Thank you for the picture.", "The {n} looks good, thanks.", "That is a lovely {n}.", "Beautiful {n}!",
    "I love your picture, thank you.", "Oh, how pretty! Thank you.", "You draw well.", "My daughter likes it.", "The {c} background looks great.",
    "Nice picture!", "Thank you, that {n} is cute.", "Wow, you can really draw.", "Good drawing.", "That will do, thanks.",
)  # fmt: skip
DRAWING_ANSWERS = (
    "You are welcome! Shall I draw something else?", "I am glad that you like it.", "My pleasure! You can ask for another background, or for something else.",
    "You are welcome! I liked drawing the {n}.",
)  # fmt: skip
THANKS_FOR_ANSWER = (
    "Thanks, that helps.", "Thank you, now I know.", "Ah, I see. Thank you!", "Good to know, thanks.", "That answers my question.", "Interesting, thank you.",
    "Right, that's what I thought. Thanks!", "Ok, thank you for explaining.", "Very helpful, thanks.", "Thanks for looking at it.", "Got it, thanks.",
)  # fmt: skip
ANSWER_ANSWERS = (
    "You are welcome! Is there anything else?", "I am glad that I could help.", "You are welcome! Ask me anything else that you like.", "My pleasure!",
)  # fmt: skip
BLAME = (
    ("That is wrong.", "No, that's not right.", "I don't like it.", "That is ugly.", "You are wrong.", "This is not what I asked for.",
     "That does not look right.", "You made a mistake.", "Not good."),
    ("I am sorry about that. I am a small model and make mistakes. You can ask me again in other words.",
     "I am sorry. I am still small and often wrong. Shall I try again?"),
)  # fmt: skip
GOODBYE = (
    ("Bye", "Goodbye!", "See you", "That's all.", "I have to go now.", "Good night!", "See you tomorrow.", "bye bye", "See you later", "I am leaving."),
    ("Goodbye! I hope to see you again.", "Goodbye, see you soon!"),
)  # fmt: skip
NO_PICTURE_YET = (
    ("What is in my picture?", "What does my picture show?", "Describe my picture.", "Describe the image.", "What do you see in the picture?",
     "What colour is the background of my picture?", "Name the thing in my photo.", "What is this?", "What is in this picture?",
     "How many things are in the picture?", "What do you see?"),
    ("I do not see a picture yet. Please add one to your message.",),
)  # fmt: skip
ABOUT_ITSELF: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Can you draw?", "Are you able to draw?", "Do you draw pictures?", "Do you like to draw?", "Can you make images?", "Can you paint?",
      "Are you good at drawing?", "Could you draw something?", "Do you know how to draw?"),
     f"Yes, I can draw {DRAWN_COUNT} simple things, for example a penguin, a car or a cake. What would you like to see?"),
    (("What can you draw?", "Which things can you draw?", "What do you know how to draw?", "What should I ask you to draw?", "What pictures can you make?"),
     f"I can draw {DRAWN_COUNT} simple things: animals, plants, food, vehicles and everyday things, on a background of the colour that you choose."),
    (("Can you see pictures?", "Can you look at images?", "Do you understand pictures?", "Can I show you a picture?", "Can I send you a picture?"),
     "Yes, add a simple picture to your message and I will tell you what I see. Photographs are too difficult for me."),
    (("Can you recognise photographs?", "Do you understand photos?", "Can you read a screenshot?", "Can I show you a photo of my dog?", "Can you read text in images?"),
     f"No, I only know simple drawn pictures of {SEEN_COUNT} things. The full system, which you can add under Models, can do more."),
    (("Who are you?", "What are you?", "What is your name?", "Tell me about yourself.", "Are you a person?", "Are you human?", "Are you a robot?",
      "What's your name?", "Introduce yourself.", "Are you an AI?", "What kind of model are you?", "Are you real?"),
     "I am TextBind mini, a small demonstration model. I can talk a little, look at simple pictures and draw."),
    (("Are you ChatGPT?", "Are you GPT-4?", "Are you Claude?", "Are you a large model?", "Are you smart?", "How big are you?", "How clever are you?"),
     "No, I am TextBind mini, a very small model. I make mistakes, so please do not trust me too much."),
    (("What can you do?", "How can you help me?", "What are you good at?", "What should I ask you?", "What can I do here?", "Help", "help me",
      "How does this work?", "What are your skills?", "What is this program?"),
     "I can talk with you a little, tell you what is in a simple picture, and draw simple things. Try: Draw a penguin on a blue background."),
    (("What do you know?", "How many things do you know?", "Which pictures do you know?", "What can you recognise?", "What can you see?"),
     f"I know {SEEN_COUNT} simple things by sight: animals, plants, food, places, vehicles and everyday things."),
    (("Who made you?", "Who trained you?", "Where do you come from?", "How were you made?", "Who built you?"),
     "I was trained with TextBind Studio, by the two stages of TextBind, on simple composed pictures."),
    (("How do you draw?", "How do you make pictures?", "How does your drawing work?"),
     "I write a short caption, and a small image model turns it into a picture."),
    (("I like drawing.", "I am learning to draw.", "My sister draws well.", "I love paintings.", "I painted a picture yesterday.", "My son likes to draw.",
      "I am an artist."),
     "That is nice! Drawing is a good way to look closely at things. What do you like to draw most?"),
    (("I took some pictures yesterday.", "I have a new camera.", "I like photographs.", "I took a photo of my house.", "I have a picture of my dog."),
     "That sounds good! I only know simple drawn pictures, so a photograph is difficult for me."),
    (("Don't draw anything, just say hello.", "No picture please, just words.", "Please do not draw now.", "Stop drawing.", "No more pictures.",
      "Just talk to me."),
     "All right, only words. What shall we talk about?"),
    (("Do you have feelings?", "Are you happy?", "Are you sad?", "Do you get tired?", "Do you sleep?"),
     "I am only a small computer program, so I have no feelings, but I enjoy your questions in my own way."),
    (("What is your favourite colour?", "Do you have a favourite colour?"), "I like blue very much. It looks good behind almost everything."),
    (("What is your favourite animal?", "Which animal do you like best?"), "I like penguins best. They are easy to draw and look friendly."),
    (("How old are you?", "When were you born?"), "I have no age like a person. I was trained not long ago."),
    (("Do you remember me?", "Do you remember our last talk?"), "No, I only know what stands in this conversation."),
    (("Let's play a game.", "Can we play?", "I am bored.", "What shall we do?", "Entertain me."),
     "Let us play: show me a simple picture and I will guess what it is, or ask me to draw something."),
)  # fmt: skip
JOKES: tuple[str, ...] = (
    "Why did the bicycle fall over? Because it was two tired.",
    "What do you call a bear without teeth? A gummy bear.",
    "Why did the banana go to the doctor? It was not peeling well.",
    "What do you call a fish without an eye? A fsh.",
    "Why do bees have sticky hair? Because they use honeycombs.",
    "What did one wall say to the other? I will meet you at the corner.",
)
ASK_JOKE = ("Tell me a joke.", "Do you know a joke?", "Make me laugh.", "Tell me something funny.", "Another joke, please.", "Can you tell a joke?",
            "Say something funny.", "A joke please", "Do you know any jokes?")  # fmt: skip
SMALL_TALK: tuple[tuple[str, str], ...] = (
    ("I am feeling tired today.", "I am sorry to hear that. A short rest and some water may help."),
    ("I had a great day!", "That is wonderful! What made it so good?"),
    ("I am a little sad.", "I am sorry. Would you like to tell me about it?"),
    ("I love animals.", "Me too! Which animal do you like best?"),
    ("My favourite colour is blue.", "Blue is a lovely colour, like the sky and the sea."),
    ("I am going on holiday tomorrow.", "How nice! Have a good trip. Where are you going?"),
    ("It is raining here.", "Then it is a good day to stay inside with a book."),
    ("Do you like music?", "I cannot hear music, but I like to talk about it. What do you listen to?"),
    ("Tell me a fun fact.", "Honey never spoils if it is kept well closed."),
    ("Tell me a fun fact about cats.", "Cats sleep for twelve to sixteen hours a day."),
    ("Is a whale a fish?", "No, a whale is a mammal. It breathes air and feeds its young with milk."),
    ("What do bees make?", "Bees make honey from the nectar of flowers."),
    ("What do cows eat?", "Cows eat grass and hay."),
    ("What do cats eat?", "Cats eat meat and fish."),
    ("What do pandas eat?", "Pandas eat mostly bamboo."),
    ("Where do penguins live?", "Penguins live in the southern half of the world, many of them in Antarctica."),
    ("Where do camels live?", "Camels live in deserts. They can go a long time without water."),
    ("What is the largest animal?", "The blue whale is the largest animal that has ever lived."),
    ("What is the fastest land animal?", "The cheetah is the fastest land animal."),
    ("How many legs does a spider have?", "A spider has eight legs."),
    ("How many legs does a dog have?", "A dog has four legs."),
    ("How many days are in a week?", "A week has seven days."),
    ("What comes after Monday?", "Tuesday comes after Monday."),
    ("What is two plus two?", "Two plus two is four."),
    ("What is five plus three?", "Five plus three is eight."),
    ("What is ten minus four?", "Ten minus four is six."),
    ("What colour is the sky?", "On a clear day the sky is blue."),
    ("What colour is grass?", "Grass is green."),
    ("What colour is a lemon?", "A lemon is yellow."),
    ("What colour is snow?", "Snow is white."),
    ("What is the capital of France?", "The capital of France is Paris."),
    ("What is the capital of Germany?", "The capital of Germany is Berlin."),
    ("What is the capital of Japan?", "The capital of Japan is Tokyo."),
    ("Why is the sky blue?", "Air scatters blue light more than red light, so the sky looks blue."),
    ("Who painted the Mona Lisa?", "Leonardo da Vinci painted the Mona Lisa, about five hundred years ago."),
    ("Which colours make green?", "Blue and yellow together make green."),
    ("How do I draw a cat?", "Begin with a circle for the head and an oval for the body. Then add two pointed ears, whiskers and a tail."),
    ("How do I draw a house?", "Draw a square for the walls and a triangle for the roof. Then add a door and some windows."),
    ("What is a good thing to paint?", "A bowl of fruit is a good start: it stands still and has clear colours."),
    ("What should I cook for dinner?", "How about pasta with tomatoes and a fresh salad?"),
    ("Can you recommend a good book?", "Try The Little Prince: it is short and wise."),
    ("Give me a name for a cat.", "How about Luna?"),
    ("Give me a name for a dog.", "How about Max?"),
    ("What is the opposite of hot?", "The opposite of hot is cold."),
    ("What is the opposite of big?", "The opposite of big is small."),
    ("Which do you prefer, cats or dogs?", "I like both: cats are quiet and dogs are loyal."),
    ("Okay.", "Good. What shall we do next?"),
    ("Yes.", "Good! Tell me what you would like: I can talk, look at a picture or draw."),
    ("No.", "All right. Tell me what you would like instead."),
    ("What time is it?", "I cannot see a clock, so I do not know the time."),
    ("What is the weather like?", "I cannot look outside, so I do not know. Is the sun shining where you are?"),
    ("What is today's date?", "I have no calendar, so I do not know the date."),
    ("Can you play music?", "No, I can only write and draw."),
    ("Can you open a website?", "No, I work on this computer alone, without the internet."),
    ("Tell me a secret.", "I do not know any secrets, but I like to draw penguins."),
    ("I love you.", "That is kind of you! I enjoy talking with you."),
    ("You are stupid.", "I am a small model and know little. I am sorry if I was wrong."),
    ("asdf", "I did not understand that. Could you say it in other words?"),
    ("???", "I did not understand that. Could you say it in other words?"),
    ("Hmm", "Take your time. I can talk, look at a simple picture or draw."),
)  # fmt: skip
PEOPLE = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Ida",
    "Jack",
    "Kate",
    "Leo",
    "Maria",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sam",
    "Tom",
    "Zoe",
)
LIKES = (
    "Do you like {p}?",
    "What do you think of {p}?",
    "I like {p}.",
    "I love {p}.",
    "My daughter loves {p}.",
)
HAVING = (
    "I have {a}.",
    "I saw {a} today.",
    "I bought {a} yesterday.",
    "There is {a} in front of my house.",
    "I dreamed of {a}.",
    "My friend has {a}.",
    "I found {a}.",
)
HAVING_ANSWERS = (
    "How nice! Tell me more about it.",
    "That sounds interesting. What is it like?",
    "Oh, how lovely! What do you like about it?",
)
IS_KIND = ("What kind of thing is {a}?", "Is {a} an animal?", "Is {a} something to eat?", "Is {a} alive?")
KIND_WORDS = {
    "animal": "an animal", "plant": "a plant", "food": "something to eat or drink", "vehicle": "a vehicle", "thing": "a thing that people use",
    "place": "a place or a building", "sky": "something of the sky or the weather",
}  # fmt: skip


def about_things(random_: random.Random) -> tuple[str, str]:
    """Words that name a thing and ask for no picture of it."""
    name = random_.choice(SEEN_NAMES)
    chance = random_.random()
    if chance < 0.35 and countable(name):
        answer = (
            f"Yes, I like {plural(name)}."
            if name in DRAWN_NAMES
            else f"I like them. There is much to say about {plural(name)}."
        )
        if name in DRAWN_NAMES and random_.random() < 0.5:
            answer += f" If you want, I can draw {called(name)} for you."
        return random_.choice(LIKES).format(p=plural(name)), answer
    if chance < 0.75:
        return random_.choice(HAVING).format(a=called(name)), random_.choice(HAVING_ANSWERS)
    question = random_.choice(IS_KIND)
    kind = SEEN[name][1]
    text = (
        f"{called(name)} is {KIND_WORDS[kind]}."
        if not called(name).startswith("some ")
        else f"{name} are {KIND_WORDS[kind]}."
    )
    said = text[:1].upper() + text[1:]
    if "animal?" in question:
        said = f"{'Yes' if kind == 'animal' else 'No'}, {text}"
    if "eat?" in question:
        said = f"{'Yes' if kind == 'food' else 'No'}, {text}"
    if "alive?" in question:
        said = f"{'Yes' if kind in ('animal', 'plant') else 'No'}, {text}"
    return question.format(a=called(name)), said


def introduced(random_: random.Random) -> list[tuple[str, str]]:
    """A name said, and asked for afterwards."""
    person = random_.choice(PEOPLE)
    said = random_.choice(("My name is {}.", "I am {}.", "Hi, I'm {}.", "Hello, my name is {}.")).format(
        person
    )
    asked = random_.choice(("What is my name?", "Do you remember my name?", "Who am I?", "What was my name?"))
    return [
        (said, f"Nice to meet you, {person}! What would you like to do?"),
        (asked, f"Your name is {person}."),
    ]


def greeted(random_: random.Random) -> tuple[str, str]:
    """A greeting put together from parts: a list of fixed ones is learnt by heart, and the next one is answered with a picture."""
    words, whom = random_.choice(GREETING_WORDS), random_.choice(GREETED)
    said = f"{words}{random_.choice((' ', ', ')) if whom else ''}{whom}{random_.choice(('', '.', '!', '!'))}"
    if random_.random() < 0.8:
        said = said[:1].upper() + said[1:]
    return said, random_.choice(GREETING[1])


def thanks(random_: random.Random, drawn: tuple[str, str] | None) -> tuple[str, str]:
    """Thanks in the middle of a conversation: after a drawing (its name and background), or after an answer in words."""
    chance = random_.random()
    if chance < 0.45:
        core = random_.choice(THANKS_BEFORE) + random_.choice(THANKS_CORE) + random_.choice(THANKS_AFTER)
        said = core[:1].upper() + core[1:]
    elif chance < 0.6:
        said = random_.choice(THANKS[0])
    elif drawn:
        said = random_.choice(THANKS_FOR_DRAWING).format(n=drawn[0], c=drawn[1])
    else:
        said = random_.choice(THANKS_FOR_ANSWER)
    if random_.random() < 0.1:
        said = said.lower()
    answers = DRAWING_ANSWERS if drawn else ANSWER_ANSWERS
    return said, random_.choice((*answers, "You are welcome!")).format(n=drawn[0] if drawn else "")


def some_talk(random_: random.Random) -> tuple[str, str]:
    """One exchange in words only."""
    pools: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
        GREETING,
        HOW_ARE_YOU,
        GREETED_WHO,
        THANKS,
        BLAME,
        GOODBYE,
    )
    chance = random_.random()
    if chance < 0.27:
        asked, answers = random_.choices(pools, (4, 2, 2, 3, 1, 1))[0]
        if asked is GREETING[0] and random_.random() < 0.6:
            return greeted(random_)
        return random_.choice(asked), random_.choice(answers)
    if chance < 0.55:
        questions, answer = random_.choice(ABOUT_ITSELF)
        return random_.choice(questions), answer
    if chance < 0.63:
        return random_.choice(ASK_JOKE), random_.choice(JOKES)
    if chance < 0.83:
        return random_.choice(SMALL_TALK)
    return about_things(random_)
