"""The objects that the embedded model recognises: every picture of emojibase's groups 3, 4, 5 and 7, and what it draws.

A name is what an ordinary person would say; near twins (a tiger and a tiger's face, the 24 clock faces) share one.
Each code is a file stem in npm @lobehub/fluent-emoji-3d@1.1.0; its label in emojibase-data@17.0.0 was the starting
point. Twelve labels of these groups have no picture in the package.
"""

from __future__ import annotations

from .world import SYNONYMS

_BY_KIND = {
    "animal": (
        "monkey 1f412+1f435, gorilla 1f98d, orangutan 1f9a7, dog 1f415+1f436, guide dog "
        "1f9ae+1f415-200d-1f9ba, poodle 1f429, wolf 1f43a, fox 1f98a, raccoon 1f99d, cat 1f408+1f431, "
        "black cat 1f408-200d-2b1b, lion 1f981, tiger 1f405+1f42f, leopard 1f406, horse 1f40e+1f434, "
        "moose 1face, donkey 1facf, unicorn 1f984, zebra 1f993, deer 1f98c, bison 1f9ac, cow 1f404+1f42e, "
        "ox 1f402, buffalo 1f403, pig 1f416+1f437, wild boar 1f417, pig nose 1f43d, ram 1f40f, sheep "
        "1f411, goat 1f410, camel 1f42a+1f42b, llama 1f999, giraffe 1f992, elephant 1f418, mammoth 1f9a3, "
        "rhinoceros 1f98f, hippopotamus 1f99b, mouse 1f401+1f42d, rat 1f400, hamster 1f439, rabbit "
        "1f407+1f430, chipmunk 1f43f-fe0f, beaver 1f9ab, hedgehog 1f994, bat 1f987, bear 1f43b, polar "
        "bear 1f43b-200d-2744-fe0f, koala 1f428, panda 1f43c, sloth 1f9a5, otter 1f9a6, skunk 1f9a8, "
        "kangaroo 1f998, badger 1f9a1, turkey 1f983, hen 1f414, rooster 1f413, chick 1f425+1f423+1f424, "
        "bird 1f426, penguin 1f427, dove 1f54a-fe0f, eagle 1f985, duck 1f986, swan 1f9a2, owl 1f989, dodo "
        "1f9a4, flamingo 1f9a9, peacock 1f99a, parrot 1f99c, crow 1f426-200d-2b1b, goose 1fabf, frog "
        "1f438, crocodile 1f40a, turtle 1f422, lizard 1f98e, snake 1f40d, dragon 1f409+1f432, dinosaur "
        "1f996+1f995, whale 1f433+1f40b, dolphin 1f42c, seal 1f9ad, fish 1f41f, tropical fish 1f420, "
        "pufferfish 1f421, shark 1f988, octopus 1f419, jellyfish 1fabc, crab 1f980, lobster 1f99e, shrimp "
        "1f990, squid 1f991, oyster 1f9aa, snail 1f40c, butterfly 1f98b, caterpillar 1f41b, ant 1f41c, "
        "bee 1f41d, beetle 1fab2, ladybug 1f41e, grasshopper 1f997, cockroach 1fab3, spider 1f577-fe0f, "
        "scorpion 1f982, mosquito 1f99f, fly 1fab0, worm 1fab1, microbe 1f9a0"
    ),
    "plant": (
        "bouquet 1f490, cherry blossom 1f338, white flower 1f4ae, lotus flower 1fab7, rose 1f339, wilted "
        "flower 1f940, hibiscus 1f33a, sunflower 1f33b, yellow flower 1f33c, tulip 1f337, lavender 1fabb, "
        "sprout 1f331, potted plant 1fab4, pine tree 1f332, tree 1f333, palm tree 1f334, cactus 1f335, "
        "ears of rice 1f33e, herb 1f33f, three-leaf clover 2618-fe0f, clover 1f340, maple leaf 1f341, "
        "autumn leaf 1f342, green leaf 1f343, mushroom 1f344"
    ),
    "food": (
        "grapes 1f347, melon 1f348, watermelon 1f349, orange 1f34a, lemon 1f34b, banana 1f34c, pineapple "
        "1f34d, mango 1f96d, apple 1f34e, green apple 1f34f, pear 1f350, peach 1f351, cherries 1f352, "
        "strawberry 1f353, blueberries 1fad0, kiwi 1f95d, tomato 1f345, olives 1fad2, coconut 1f965, "
        "avocado 1f951, eggplant 1f346, potato 1f954, carrot 1f955, corn 1f33d, chili pepper 1f336-fe0f, "
        "bell pepper 1fad1, cucumber 1f952, lettuce 1f96c, broccoli 1f966, garlic 1f9c4, onion 1f9c5, "
        "peanuts 1f95c, beans 1fad8, chestnut 1f330, ginger 1fada, pea pod 1fadb, bread 1f35e, croissant "
        "1f950, baguette 1f956, flatbread 1fad3, pretzel 1f968, bagel 1f96f, pancakes 1f95e, waffle "
        "1f9c7, cheese 1f9c0, meat 1f356, chicken leg 1f357, steak 1f969, bacon 1f953, hamburger 1f354, "
        "french fries 1f35f, pizza 1f355, hot dog 1f32d, sandwich 1f96a, taco 1f32e, burrito 1f32f, "
        "tamale 1fad4, kebab 1f959, falafel 1f9c6, egg 1f95a, fried egg 1f373, paella 1f958, stew 1f372, "
        "fondue 1fad5, bowl of soup 1f963, salad 1f957, popcorn 1f37f, butter 1f9c8, salt 1f9c2, tin can "
        "1f96b, bento box 1f371, rice cracker 1f358, rice ball 1f359, bowl of rice 1f35a, curry 1f35b, "
        "noodle soup 1f35c, spaghetti 1f35d, sweet potato 1f360, skewer 1f362, sushi 1f363, fried shrimp "
        "1f364, fish cake 1f365, moon cake 1f96e, dango 1f361, dumpling 1f95f, fortune cookie 1f960, "
        "takeaway box 1f961, ice cream cone 1f366, shaved ice 1f367, ice cream 1f368, doughnut 1f369, "
        "cookie 1f36a, birthday cake 1f382, piece of cake 1f370, cupcake 1f9c1, pie 1f967, chocolate bar "
        "1f36b, candy 1f36c, lollipop 1f36d, pudding 1f36e, honey 1f36f, glass of milk 1f95b, cup of "
        "coffee 2615, teapot 1fad6, cup of green tea 1f375, sake 1f376, champagne bottle 1f37e, wine "
        "glass 1f377, cocktail 1f378, tropical drink 1f379, beer 1f37a, two beers 1f37b, champagne "
        "glasses 1f942, glass of whisky 1f943, jug 1fad7, cup with straw 1f964, bubble tea 1f9cb, juice "
        "box 1f9c3, mate tea 1f9c9, ice cube 1f9ca"
    ),
    "place": (
        "map of japan 1f5fe, mountain 1f3d4-fe0f, green mountain 26f0-fe0f, volcano 1f30b, mount fuji "
        "1f5fb, camping place 1f3d5-fe0f, beach 1f3d6-fe0f, desert 1f3dc-fe0f, island 1f3dd-fe0f, "
        "national park 1f3de-fe0f, stadium 1f3df-fe0f, temple 1f3db-fe0f, building site 1f3d7-fe0f, hut "
        "1f6d6, houses 1f3d8-fe0f, old house 1f3da-fe0f, house 1f3e0+1f3e1, office building 1f3e2, post "
        "office 1f3e3+1f3e4, hospital 1f3e5, bank 1f3e6, hotel 1f3e8+1f3e9, convenience store 1f3ea, "
        "school 1f3eb, department store 1f3ec, factory 1f3ed, japanese castle 1f3ef, castle 1f3f0, "
        "wedding chapel 1f492, tower 1f5fc, statue of liberty 1f5fd, church 26ea, mosque 1f54c, hindu "
        "temple 1f6d5, synagogue 1f54d, shrine gate 26e9-fe0f, kaaba 1f54b, fountain 26f2, tent 26fa, "
        "foggy city 1f301, city at night 1f303, cityscape 1f3d9-fe0f, sunrise over mountains 1f304, "
        "sunrise 1f305, city at dusk 1f306, sunset 1f307, bridge 1f309, hot spring 2668-fe0f, slide "
        "1f6dd, ferris wheel 1f3a1, roller coaster 1f3a2, circus tent 1f3aa"
    ),
    "vehicle": (
        "train 1f682, railway car 1f683, fast train 1f684, bullet train 1f685, train front 1f686, subway "
        "train 1f687, light rail 1f688, tram 1f68a+1f68b, monorail 1f69d, mountain train 1f69e, bus "
        "1f68c+1f68d, trolleybus 1f68e, minibus 1f690, ambulance 1f691, fire truck 1f692, police car "
        "1f693+1f694, taxi 1f695+1f696, car 1f697+1f698, blue car 1f699, pickup truck 1f6fb, truck 1f69a, "
        "big truck 1f69b, tractor 1f69c, racing car 1f3ce-fe0f, motorcycle 1f3cd-fe0f, scooter 1f6f5, "
        "wheelchair 1f9bd, electric wheelchair 1f9bc, rickshaw 1f6fa, bicycle 1f6b2, kick scooter 1f6f4, "
        "skateboard 1f6f9, roller skate 1f6fc, sailboat 26f5, canoe 1f6f6, speedboat 1f6a4, passenger "
        "ship 1f6f3-fe0f, ferry 26f4-fe0f, motor boat 1f6e5-fe0f, ship 1f6a2, airplane 2708-fe0f, small "
        "airplane 1f6e9-fe0f, airplane taking off 1f6eb, airplane landing 1f6ec, parachute 1fa82, "
        "helicopter 1f681, hanging train 1f69f, cable car 1f6a0+1f6a1, satellite 1f6f0-fe0f, rocket "
        "1f680, flying saucer 1f6f8"
    ),
    "sky": (
        "new moon 1f311, moon phase 1f312+1f314+1f316+1f318, half moon 1f313+1f317, full moon 1f315, moon "
        "1f319, dark moon with a face 1f31a, moon with a face 1f31b+1f31c, sun 2600-fe0f, full moon with "
        "a face 1f31d, sun with a face 1f31e, planet 1fa90, star 2b50, glowing star 1f31f, shooting star "
        "1f320, milky way 1f30c, cloud 2601-fe0f, sun behind a cloud 26c5+1f324-fe0f+1f325-fe0f, "
        "thunderstorm cloud 26c8-fe0f, sun and rain cloud 1f326-fe0f, rain cloud 1f327-fe0f, snow cloud "
        "1f328-fe0f, lightning cloud 1f329-fe0f, tornado 1f32a-fe0f, fog 1f32b-fe0f, wind face "
        "1f32c-fe0f, spiral 1f300, rainbow 1f308, lightning bolt 26a1, snowflake 2744-fe0f, snowman "
        "26c4+2603-fe0f, comet 2604-fe0f, fire 1f525, drop of water 1f4a7, wave 1f30a"
    ),
    "thing": (
        "paw prints 1f43e, feather 1fab6, wing 1fabd, seashell 1f41a, coral 1fab8, spider web 1f578-fe0f, "
        "rosette 1f3f5-fe0f, nest 1fab9, nest with eggs 1faba, baby bottle 1f37c, chopsticks 1f962, plate "
        "with fork and knife 1f37d-fe0f, fork and knife 1f374, spoon 1f944, knife 1f52a, jar 1fad9, "
        "amphora 1f3fa, globe 1f30d+1f30e+1f30f, wire globe 1f310, world map 1f5fa-fe0f, compass 1f9ed, "
        "brick 1f9f1, rock 1faa8, log 1fab5, carousel horse 1f3a0, barber pole 1f488, train station "
        "1f689, bus stop 1f68f, motorway 1f6e3-fe0f, railway track 1f6e4-fe0f, oil drum 1f6e2-fe0f, "
        "petrol pump 26fd, wheel 1f6de, siren 1f6a8, traffic light 1f6a6+1f6a5, stop sign 1f6d1, road "
        "barrier 1f6a7, anchor 2693, lifebuoy 1f6df, seat 1f4ba, desk bell 1f6ce-fe0f, suitcase 1f9f3, "
        "hourglass 231b+23f3, watch 231a, alarm clock 23f0, stopwatch 23f1-fe0f, timer 23f2-fe0f, mantel "
        "clock 1f570-fe0f, clock "
        "1f55b+1f567+1f550+1f55c+1f551+1f55d+1f552+1f55e+1f553+1f55f+1f554+1f560+1f555+1f561+1f556+1f562+1f557+1f563+1f558+1f564+1f559+1f565+1f55a+1f566, "
        "thermometer 1f321-fe0f, closed umbrella 1f302, umbrella 2602-fe0f, umbrella in the rain 2614, "
        "beach umbrella 26f1-fe0f, glasses 1f453, sunglasses 1f576-fe0f, goggles 1f97d, lab coat 1f97c, "
        "safety vest 1f9ba, necktie 1f454, t-shirt 1f455, jeans 1f456, scarf 1f9e3, gloves 1f9e4, coat "
        "1f9e5, socks 1f9e6, dress 1f457, kimono 1f458, sari 1f97b, swimsuit 1fa71, briefs 1fa72, shorts "
        "1fa73, bikini 1f459, blouse 1f45a, fan 1faad, purse 1f45b, handbag 1f45c, small purse 1f45d, "
        "shopping bags 1f6cd-fe0f, backpack 1f392, flip-flop 1fa74, brown shoe 1f45e, sneaker 1f45f, "
        "hiking boot 1f97e, flat shoe 1f97f, high heel 1f460, sandal 1f461, ballet shoes 1fa70, boot "
        "1f462, comb 1faae, crown 1f451, sun hat 1f452, top hat 1f3a9, graduation cap 1f393, baseball cap "
        "1f9e2, army helmet 1fa96, rescue helmet 26d1-fe0f, prayer beads 1f4ff, lipstick 1f484, ring "
        "1f48d, diamond 1f48e, muted speaker 1f507, speaker 1f508+1f509+1f50a, loudspeaker 1f4e2, "
        "megaphone 1f4e3, horn 1f4ef, bell 1f514, crossed-out bell 1f515, music sheet 1f3bc, music note "
        "1f3b5, music notes 1f3b6, studio microphone 1f399-fe0f, slider 1f39a-fe0f, control knobs "
        "1f39b-fe0f, microphone 1f3a4, headphones 1f3a7, radio 1f4fb, saxophone 1f3b7, trumpet 1f3ba, "
        "accordion 1fa97, guitar 1f3b8, piano keys 1f3b9, violin 1f3bb, banjo 1fa95, drum 1f941, long "
        "drum 1fa98, maracas 1fa87, flute 1fa88, mobile phone 1f4f1+1f4f2, telephone 260e-fe0f, telephone "
        "receiver 1f4de, pager 1f4df, fax machine 1f4e0, battery 1f50b, empty battery 1faab, plug 1f50c, "
        "laptop 1f4bb, desktop computer 1f5a5-fe0f, printer 1f5a8-fe0f, keyboard 2328-fe0f, computer "
        "mouse 1f5b1-fe0f, trackball 1f5b2-fe0f, minidisc 1f4bd, floppy disk 1f4be, cd 1f4bf, dvd 1f4c0, "
        "abacus 1f9ee, film camera 1f3a5, strip of film 1f39e-fe0f, film projector 1f4fd-fe0f, "
        "clapperboard 1f3ac, television 1f4fa, camera 1f4f7+1f4f8, video camera 1f4f9, video tape 1f4fc, "
        "magnifying glass 1f50d+1f50e, candle 1f56f-fe0f, light bulb 1f4a1, flashlight 1f526, red lantern "
        "1f3ee, oil lamp 1fa94, notebook 1f4d4+1f4d3, book 1f4d5, open book 1f4d6, green book 1f4d7, blue "
        "book 1f4d8, orange book 1f4d9, stack of books 1f4da, ledger 1f4d2, page 1f4c3+1f4c4, scroll "
        "1f4dc, newspaper 1f4f0, rolled-up newspaper 1f5de-fe0f, bookmark tabs 1f4d1, bookmark 1f516, "
        "label 1f3f7-fe0f, coin 1fa99, money bag 1f4b0, banknotes 1f4b4+1f4b5+1f4b6+1f4b7, money with "
        "wings 1f4b8, credit card 1f4b3, receipt 1f9fe, rising chart 1f4b9+1f4c8, envelope 2709-fe0f, "
        "e-mail 1f4e7, flying envelope 1f4e8, envelope with an arrow 1f4e9, outbox 1f4e4, inbox 1f4e5, "
        "box 1f4e6, mailbox 1f4eb+1f4ea, open mailbox 1f4ec+1f4ed, red postbox 1f4ee, ballot box "
        "1f5f3-fe0f, pencil 270f-fe0f, pen nib 2712-fe0f, fountain pen 1f58b-fe0f, pen 1f58a-fe0f, "
        "paintbrush 1f58c-fe0f, crayon 1f58d-fe0f, memo and pencil 1f4dd, briefcase 1f4bc, folder "
        "1f4c1+1f4c2, card index dividers 1f5c2-fe0f, calendar 1f4c5+1f4c6+1f5d3-fe0f, notepad "
        "1f5d2-fe0f, card index 1f4c7, falling chart 1f4c9, bar chart 1f4ca, clipboard 1f4cb, pin 1f4cc, "
        "round pin 1f4cd, paperclip 1f4ce, paperclips 1f587-fe0f, ruler 1f4cf, triangle ruler 1f4d0, "
        "scissors 2702-fe0f, file box 1f5c3-fe0f, filing cabinet 1f5c4-fe0f, waste bin 1f5d1-fe0f, "
        "padlock 1f512, open padlock 1f513, padlock with a pen 1f50f, padlock with a key 1f510, key "
        "1f511, old key 1f5dd-fe0f, hammer 1f528, axe 1fa93, pickaxe 26cf-fe0f, hammer and pickaxe "
        "2692-fe0f, hammer and wrench 1f6e0-fe0f, dagger 1f5e1-fe0f, two swords 2694-fe0f, bomb 1f4a3, "
        "boomerang 1fa83, bow and arrow 1f3f9, shield 1f6e1-fe0f, saw 1fa9a, wrench 1f527, screwdriver "
        "1fa9b, nut and bolt 1f529, gear 2699-fe0f, clamp 1f5dc-fe0f, scales 2696-fe0f, white cane 1f9af, "
        "link 1f517, chains 26d3-fe0f, hook 1fa9d, toolbox 1f9f0, magnet 1f9f2, ladder 1fa9c, distilling "
        "flask 2697-fe0f, test tube 1f9ea, petri dish 1f9eb, dna 1f9ec, microscope 1f52c, telescope "
        "1f52d, satellite dish 1f4e1, syringe 1f489, drop of blood 1fa78, pill 1f48a, bandage 1fa79, "
        "crutch 1fa7c, stethoscope 1fa7a, x-ray 1fa7b, door 1f6aa, elevator 1f6d7, mirror 1fa9e, window "
        "1fa9f, bed 1f6cf-fe0f, couch 1f6cb-fe0f, chair 1fa91, toilet 1f6bd, plunger 1faa0, shower 1f6bf, "
        "bathtub 1f6c1, mouse trap 1faa4, razor 1fa92, lotion bottle 1f9f4, safety pin 1f9f7, broom "
        "1f9f9, basket 1f9fa, toilet paper 1f9fb, bucket 1faa3, soap 1f9fc, bubbles 1fae7, toothbrush "
        "1faa5, sponge 1f9fd, fire extinguisher 1f9ef, shopping cart 1f6d2, cigarette 1f6ac, coffin "
        "26b0-fe0f, gravestone 1faa6, urn 26b1-fe0f, blue amulet 1f9ff, hand amulet 1faac, stone head "
        "1f5ff, sign 1faa7, identity card 1faaa, gift 1f381, soccer ball 26bd, balloon 1f388, basketball "
        "1f3c0, trophy 1f3c6, teddy bear 1f9f8"
    ),
}


def _entries() -> dict[str, tuple[tuple[str, ...], str]]:
    rows: dict[str, tuple[tuple[str, ...], str]] = {}
    for kind, text in _BY_KIND.items():
        for entry in text.split(", "):
            name, codes = entry.rsplit(" ", 1)
            rows[name] = (tuple(codes.split("+")), kind)
    return rows


SEEN: dict[str, tuple[tuple[str, ...], str]] = _entries()
"""name -> (file stems of its pictures, kind); the order is the class order of the eyes."""

SEEN_NAMES: tuple[str, ...] = tuple(SEEN)

PLURAL = frozenset(
    [
        "grapes",
        "cherries",
        "blueberries",
        "olives",
        "peanuts",
        "beans",
        "pancakes",
        "french fries",
        "ears of rice",
        "champagne glasses",
        "two beers",
        "chopsticks",
        "fork and knife",
        "houses",
        "glasses",
        "sunglasses",
        "goggles",
        "jeans",
        "gloves",
        "socks",
        "briefs",
        "shorts",
        "shopping bags",
        "ballet shoes",
        "prayer beads",
        "music notes",
        "piano keys",
        "control knobs",
        "maracas",
        "headphones",
        "banknotes",
        "money with wings",
        "bookmark tabs",
        "card index dividers",
        "paperclips",
        "scissors",
        "two swords",
        "scales",
        "chains",
        "bubbles",
        "paw prints",
        "hammer and pickaxe",
        "hammer and wrench",
    ]
)
"""Names of several things; they take "some", and are not counted."""

MASS = frozenset(
    [
        "bread",
        "garlic",
        "ginger",
        "cheese",
        "meat",
        "bacon",
        "salad",
        "popcorn",
        "butter",
        "salt",
        "curry",
        "spaghetti",
        "sushi",
        "honey",
        "sake",
        "broccoli",
        "corn",
        "lettuce",
        "money with wings",
        "dna",
        "toilet paper",
        "soap",
        "coral",
        "lavender",
        "fire",
        "fog",
        "milky way",
        "mount fuji",
        "map of japan",
        "statue of liberty",
        "pudding",
        "fondue",
        "paella",
        "stew",
        "bubble tea",
        "mate tea",
    ]
)
"""Names of stuff; they take no article and are not counted."""

MORE_SYNONYMS: dict[str, tuple[str, ...]] = {
    "hen": ("chicken",), "crow": ("raven", "bird"), "goose": ("bird",), "bird": ("blue bird",), "grasshopper": ("cricket",),
    "donkey": ("mule",), "wild boar": ("boar",), "buffalo": ("ox", "bull"), "ox": ("bull", "cow"), "ram": ("sheep",),
    "rat": ("mouse",), "seashell": ("shell",), "oyster": ("clam", "shell"), "shrimp": ("prawn",), "wilted flower": ("flower", "rose"),
    "white flower": ("flower",), "yellow flower": ("flower", "daisy"), "hibiscus": ("flower",), "lotus flower": ("flower", "lotus"),
    "sprout": ("seedling", "plant"), "autumn leaf": ("leaf", "leaves"), "green leaf": ("leaf", "leaves"), "bouquet": ("bunch of flowers", "flowers"),
    "green apple": ("apple",), "noodle soup": ("ramen", "soup", "noodles"), "bowl of soup": ("soup", "cereal"), "stew": ("pot",),
    "paella": ("pan",), "bowl of rice": ("rice",), "tin can": ("can",), "ice cream cone": ("ice cream", "soft serve"),
    "piece of cake": ("cake", "shortcake"), "cup with straw": ("soft drink", "cup", "drink"), "cup of green tea": ("green tea", "tea"),
    "beer": ("mug of beer", "pint"), "two beers": ("beers", "beer mugs"), "cocktail": ("martini",), "jug": ("pitcher",),
    "two swords": ("swords", "crossed swords"), "dagger": ("sword", "knife"), "steak": ("meat",), "sweet potato": ("yam",),
    "green mountain": ("mountain",), "clock": ("clock face",), "moon phase": ("moon",), "half moon": ("moon",), "full moon": ("moon",),
    "new moon": ("moon",), "mobile phone": ("phone", "smartphone", "cell phone"), "telephone receiver": ("phone", "receiver"),
    "desktop computer": ("computer", "monitor"), "open book": ("book",), "green book": ("book",), "blue book": ("book",),
    "orange book": ("book",), "stack of books": ("books",), "lifebuoy": ("life ring",), "train front": ("train",),
    "bullet train": ("train",), "fast train": ("train",), "subway train": ("train", "subway", "metro"), "blue car": ("car", "suv"),
    "big truck": ("truck",), "pickup truck": ("truck", "pickup"), "speedboat": ("boat", "motorboat"), "motor boat": ("boat",),
    "ferry": ("ship", "boat"), "passenger ship": ("cruise ship", "ship"), "canoe": ("kayak", "boat"), "small airplane": ("airplane", "plane"),
    "airplane taking off": ("airplane", "plane"), "airplane landing": ("airplane", "plane"), "sun with a face": ("sun",),
    "full moon with a face": ("moon", "full moon"), "moon with a face": ("moon",), "dark moon with a face": ("moon",),
    "glowing star": ("star",), "lightning bolt": ("lightning", "bolt"), "drop of water": ("water drop", "drop"),
    "brown shoe": ("shoe",), "flat shoe": ("shoe",), "high heel": ("shoe", "high-heeled shoe"), "hiking boot": ("boot", "shoe"),
    "banknotes": ("money", "cash", "bills"), "couch": ("sofa",), "waste bin": ("bin", "trash can"), "gravestone": ("tombstone",),
    "old key": ("key",), "open padlock": ("padlock", "lock"), "waffle": ("waffles",), "coat": ("jacket",), "handbag": ("bag",),
    "briefcase": ("case", "bag"), "pill": ("capsule", "medicine"), "flashlight": ("torch",), "hot spring": ("hot springs",),
}  # fmt: skip


def synonyms(name: str) -> tuple[str, ...]:
    """Other words that an ordinary person may say for a seen object."""
    return (*SYNONYMS.get(name, ()), *MORE_SYNONYMS.get(name, ()))


def countable(name: str) -> bool:
    """Whether "two of it" can be said."""
    return name not in PLURAL and name not in MASS and " with " not in name and " of " not in name


def plural(name: str) -> str:
    """'box' -> 'boxes'; of countable names only."""
    irregular = {
        "mouse": "mice", "sheep": "sheep", "goose": "geese", "deer": "deer", "moose": "moose", "bison": "bison",
        "fish": "fish", "tropical fish": "tropical fish", "pufferfish": "pufferfish", "shrimp": "shrimp", "squid": "squid",
        "ox": "oxen", "wolf": "wolves", "green leaf": "green leaves", "autumn leaf": "autumn leaves", "maple leaf": "maple leaves",
        "knife": "knives", "broccoli": "broccoli", "snowman": "snowmen", "scarf": "scarves", "computer mouse": "computer mice",
        "octopus": "octopuses", "cactus": "cactuses", "rhinoceros": "rhinoceroses", "hippopotamus": "hippopotamuses",
    }  # fmt: skip
    if name in irregular:
        return irregular[name]
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return (
        f"{name}es" if name in ("potato", "tomato", "mango", "volcano", "mosquito", "tornado") else f"{name}s"
    )


def called(name: str) -> str:
    """'an apple', 'some grapes', 'bread'."""
    if name in MASS:
        return name
    if name in PLURAL:
        return name if name.startswith("two ") else f"some {name}"
    vowel = name[0] in "aeiou" and not name.startswith(("uni", "euro", "ufo"))
    return f"{'an' if vowel else 'a'} {name}"
