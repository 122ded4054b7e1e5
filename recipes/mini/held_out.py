"""Wordings that no training conversation has: requests to draw, and talk that asks for no picture."""

from __future__ import annotations

REQUESTS = (
    "Could you make a drawing that has {a}?", "I'd love it if you drew {a}.", "Render {a}.", "Show us {a}, will you?", "Let's see {a}!",
    "I am looking for a picture of {a}.", "Give me {a} as an image.", "Please create {a} for me.", "Paint a small picture of {a}.",
    "Time to draw: {a}!", "Would you be so kind and draw {a}?", "One picture of {a}, please!", "Can we have {a} as a picture?",
    "I'd like you to sketch {a}.", "My wish is a picture of {a}.", "Do you think you could paint {a}?", "Draw, please, {a}.",
    "For my wall I want a painting of {a}.", "Produce an image of {a}.", "Please give me a sketch of {a}.",
)  # fmt: skip
"""``{a}``: what is to be drawn."""

TALK = (
    "Hi there, how is your day?", "Hello friend!", "Good morning to you.", "Hey, who am I talking to?", "What's your purpose?", "Tell me what you are.",
    "Many thanks!", "Thank you, that was nice.", "Great, thank you so much.", "Ha, that is funny!", "Oh, how sweet.", "Lovely work.", "I see.", "Sounds good.",
    "Got a joke for me?", "Make a joke.", "Are you able to paint pictures?", "Is drawing fun for you?", "What sort of things can you draw?", "How good are your drawings?",
    "Why do artists paint?", "What is a sketch?", "Who was Picasso?", "How do I learn to draw?", "What is the difference between a photo and a painting?",
    "I visited a museum today.", "My dog ran away this morning.", "We have a new kitten.", "I ate a pizza for lunch.", "There was a rainbow after the rain.",
    "I would like to travel to Italy.", "Why do cats purr?", "How fast can a horse run?", "What do elephants eat?", "Where do polar bears live?", "Can dogs see colours?",
    "How many legs does an ant have?", "What is a guitar?", "Who invented the car?", "Why is a banana yellow?", "How do I cook an egg?", "What goes into a hamburger?",
    "What is the capital of Italy?", "What is three times four?", "How many weeks are in a year?", "What is photosynthesis?", "Explain gravity to me.", "What is an adjective?",
    "Give me advice for a job interview.", "How can I relax?", "What should I read next?", "Write a sentence about rain.", "Say something nice.", "I feel lonely.", "I passed my exam!",
    "My favourite fruit is the apple.", "Do you like cakes?", "Have you ever seen a penguin?", "I am afraid of spiders.", "Please write no pictures, only text.", "Goodbye for now.", "See you soon!",
    "What is your age?", "Are you a human being?", "Can you hear me?", "Do you speak German?", "What colour is a carrot?", "What is the opposite of tall?", "Which month follows June?", "I don't understand.",
    "That is not true.", "You are funny.", "What can I ask you?", "Tell me about the moon.", "How big is the sun?", "Is a tomato a vegetable?", "Why do leaves change colour?", "What does a doctor do?", "How do planes fly?", "What is money?",
    "Explain step by step how to bake bread.", "Write a poem about a cat.", "List five animals.", "How do I paint a room?", "Rewrite this politely: Close the door.",
    "Write an e-mail to my boss.", "That's so kind, thank you!", "Thanks for your answer.", "Thank you, I will try that.", "Wow, how nice of you!",
)  # fmt: skip
"""None of them asks for a picture."""
