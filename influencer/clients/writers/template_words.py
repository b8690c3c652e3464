"""The words of the writer without AI: moods, places, things to do. No exclamation marks, no promises."""

from __future__ import annotations

from collections.abc import Mapping

# A mood and the beginnings of words that hint at it.
MOODS: Mapping[str, tuple[str, ...]] = {
    "dreamy": ("dream", "myst", "gentle", "poet", "soft", "seren", "magic", "quiet", "calm", "romant"),
    "dry": ("dry", "humour", "humor", "ironi", "sarcas", "deadpan", "silence", "laconic", "blunt", "wry"),
    "bold": ("bold", "energ", "athlet", "sport", "fearless", "brave", "loud", "wild", "fierce", "strong"),
    "warm": ("warm", "curious", "friend", "kind", "cheer", "hearty", "funny", "quick", "sunny", "playful"),
}
PLAIN = "plain"

OPENINGS: Mapping[str, tuple[str, ...]] = {
    "dreamy": (
        "Some places remember you before you arrive.",
        "It was quieter than I thought.",
        "Nobody told me the light would be like this.",
        "I followed what I could hear.",
        "Half of this happened in a dream.",
        "Every answer here is a whisper.",
        "I stayed longer than I meant to.",
        "This one I keep for the slow hours.",
    ),
    "dry": (
        "Noted.",
        "Nobody asked, so here it is.",
        "It looked better in the plan.",
        "Evidence.",
        "Make of it what you like.",
        "I have questions. They can wait.",
        "Nothing happened, and then this.",
        "For the record.",
    ),
    "bold": (
        "Today goes to whoever gets up first.",
        "No shortcut, so straight on.",
        "I said I would. Here I am.",
        "One more, then one more.",
        "Some doors only open from running.",
        "Not the easy way round.",
        "This is what early looks like.",
        "I would do it again tomorrow.",
    ),
    "warm": (
        "You would have liked this.",
        "I took the long way, and it was worth it.",
        "A small good thing from today.",
        "Tell me what you see first.",
        "I asked three people; all three smiled.",
        "Come a little closer.",
        "This made my day.",
        "Somebody had to stop and look.",
    ),
    PLAIN: (
        "A moment from today.",
        "This is where the day went.",
        "One picture, no hurry.",
        "Today, in short.",
        "Something worth stopping for.",
        "Kept this one.",
        "Where I was today.",
        "One for the album.",
    ),
}
CLOSINGS: Mapping[str, tuple[str, ...]] = {
    "dreamy": ("What would you have asked it?", "Listen.", "The rest I tell tomorrow.", "Stay a while."),
    "dry": ("That is all.", "Carry on.", "More when there is more.", "As you were."),
    "bold": ("Who is next?", "Tomorrow, further.", "Your turn.", "Keep going."),
    "warm": ("What did you see today?", "Where would you go from here?", "Come along.", "Tell me yours."),
    PLAIN: ("More soon.", "What do you think?", "To be continued.", "That was today."),
}
# The story's parts, in the order of `story.PARTS`.
STORY_LINES = (
    "A new chapter begins: {title}.",
    "{title}, the first steps.",
    "{title}, right in the middle.",
    "{title} takes a turn.",
    "{title} comes to its end.",
)

# A world and the words that name it.
THEMES: Mapping[str, tuple[str, ...]] = {
    "forest": ("forest", "wood", "woods", "tree", "fairy", "fairies", "elf", "elves", "witch", "druid"),
    "sea": ("sea", "ocean", "beach", "island", "sail", "sailing", "ship", "surf", "tide", "harbour", "coast"),
    "city": ("city", "cities", "street", "urban", "fashion", "staircase", "metro", "office", "rooftop"),
    "heights": ("mountain", "peak", "climb", "climbing", "hike", "hiking", "alps", "snow", "ski", "skiing"),
    "desert": ("desert", "dune", "canyon", "nomad", "oasis"),
    "travel": ("train", "travel", "travelling", "station", "journey", "road", "passenger", "luggage"),
    "old": ("castle", "ruin", "temple", "legend", "legendary", "ancient", "knight", "museum", "crystal"),
    "stars": ("space", "stars", "planet", "robot", "cyber", "future", "android", "galaxy", "galaxies"),
}
PLACES: Mapping[str, tuple[str, ...]] = {
    "forest": (
        "in a moonlit clearing",
        "between old pines",
        "on a mossy log over a stream",
        "under a hollow oak",
        "on a path of fallen leaves",
        "beside a still forest pond",
        "among tall ferns",
        "at the edge of a misty wood",
    ),
    "sea": (
        "on a wooden pier",
        "at the foot of a lighthouse",
        "among tide pools",
        "on a small fishing boat",
        "on a windy cliff above the sea",
        "in the surf of an empty beach",
        "in a harbour between nets",
        "in a dune with sea grass",
    ),
    "city": (
        "on a steep painted staircase",
        "on a rooftop above the city",
        "in a narrow side street",
        "on a tram",
        "under a bridge with street lamps",
        "in front of a shop window",
        "on a busy crossing",
        "in a courtyard with laundry lines",
    ),
    "heights": (
        "on a mountain ridge",
        "at a wooden hut in the snow",
        "on a hanging bridge over a gorge",
        "beside an alpine lake",
        "on a rocky path above the clouds",
        "in a meadow below the peaks",
    ),
    "desert": (
        "on the crest of a dune",
        "in a red canyon",
        "at an oasis with palms",
        "beside a dry riverbed",
        "in the shade of a rock arch",
        "on an endless straight road",
    ),
    "travel": (
        "on an empty platform",
        "at the window of a night train",
        "in a waiting hall with a big clock",
        "beside a parked old car",
        "in a small hotel lobby",
        "on a ferry deck",
        "at a roadside diner",
        "in a sleeping compartment",
    ),
    "old": (
        "in a ruined chapel",
        "on worn castle steps",
        "in a library with high shelves",
        "in front of three stone arches",
        "in a vault lit by candles",
        "at a dried-up fountain",
    ),
    "stars": (
        "in front of a panorama window with stars",
        "in a corridor of glass and light",
        "on a landing platform in the rain",
        "in an observatory under an open dome",
        "in a hangar between machines",
        "in a greenhouse under a dome",
    ),
}
ANYWHERE = (
    "in a quiet studio",
    "beside a bright window",
    "at a kitchen table",
    "in a garden after rain",
    "in a small bookshop",
    "on a park bench",
    "at a market between stalls",
    "on a balcony with plants",
    "in a field of tall grass",
    "on a bridge over a river",
    "in an old greenhouse",
    "at a long wooden counter",
    "in a doorway",
    "under an awning in the rain",
    "at the foot of a wide staircase",
    "on a stone wall at the roadside",
    "in a room full of paintings",
    "in a workshop with tools on the wall",
    "beside a campfire",
    "in an orchard",
    "on a swing",
    "in an empty theatre",
    "at a lake shore",
    "in a hallway with mirrors",
    "on a hill above the village",
    "by a gate overgrown with ivy",
)
# For each of `story.MOMENTS` a few things to do, and how it is framed.
ACTIONS: tuple[tuple[str, ...], ...] = (
    ("standing still", "walking slowly", "looking into the distance"),
    ("writing into a small notebook", "tying a knot", "pouring tea from a tin cup"),
    ("walking with a bag over one shoulder", "stepping over a puddle", "hurrying along"),
    ("sitting with closed eyes", "leaning against the wall", "reading a folded letter"),
    ("kneeling to pick something up", "holding something up against the light", "opening a small box"),
    ("laughing with a stranger", "listening to an old man", "handing something to a child"),
    ("turning back once more", "glancing over one shoulder", "waving goodbye"),
    ("peeling an orange", "watering the plants", "carrying a paper bag of bread"),
    ("holding an umbrella in the wind", "catching the first snow", "watching the fog come in"),
)
FRAMINGS = (
    "wide shot",
    "close-up of hands and face",
    "full body, in motion",
    "half-length portrait",
    "medium shot, shallow depth of field",
    "medium shot, two people",
    "three-quarter view from behind",
    "candid medium shot",
    "wide shot, dramatic sky",
)
# How a thing of the story comes into the picture, in the order of `story.PARTS`.
TRACES = (
    "a first hint of {thing}",
    "{thing} in the distance",
    "{thing} close at hand",
    "{thing} in the middle of the picture",
    "{thing} left behind",
)
# Words that say how a picture is made or how good it is, not what it shows.
TECHNICAL = (
    "masterpiece",
    "quality",
    "detailed",
    "8k",
    "4k",
    "hdr",
    "uhd",
    "sharp focus",
    "bokeh",
    "photorealistic",
    "realistic",
    "trending",
    "render",
    "raw photo",
    "depth of field",
    "shot",
    "lens",
    "film grain",
)
ARTICLES = {"a", "an", "the", "two", "three", "four"}
# What ends the name of a thing.
STOPS = {
    "and", "or", "but", "of", "in", "on", "at", "to", "from", "with", "for", "by", "is", "are", "was",
    "who", "that", "which", "she", "he", "it", "they", "her", "his", "their", "as", "if", "not", "has",
    "over", "under", "before", "after", "where", "when", "what", "than", "then", "into", "about", "all",
    "below", "above", "behind", "away", "there", "here", "day", "night", "week", "time", "bit", "lot", "way",
}  # fmt: skip
