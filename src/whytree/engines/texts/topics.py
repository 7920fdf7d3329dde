"""Which texts speak of the same thing: groups of alike issues, each named by one of its own titles.

    topics([Text("1", "Pause a check", "..."), Text("2", "Add a pause button", "..."), ...])

TF-IDF over words (Sparck Jones 1972; titles count three times), cosine similarity, agglomerative clustering with
average linkage (Sokal & Michener 1958): a text joins a group when it is alike to its members on average, so that one
common word does not chain strangers together. What is alike to nothing stays alone. Pure; the same texts give the
same groups, in whatever order they come.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .words import fold

# Average cosine from which two groups are one. Chosen by looking at groups of real issues: lower, topics run into
# each other by words such as "email"; higher, the same wish in other words is missed.
ALIKE = 0.12
# Beyond this many texts the first ones are grouped: memory grows with the square.
MOST_TEXTS = 3000
TITLE_COUNTS = 3
# A word in more than this share of the texts tells nothing apart (the product's own name).
TOO_COMMON = 0.2
# ... unless there are so few texts that a share says little.
FEW = 10.0
_WORD = re.compile(r"[^\W\d_]{3,}")
_ENDINGS = ("ingly", "ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "e")
_STOP_WORDS = """
    able about add added adding adds after again all allow allows also although always and another any anyone anything are
    aren because been before being believe best better bit both bug but can cannot case change come could couldn current
    currently did didn different does doesn doing don done each easily easy either enough etc even ever every example expected
    feature few find fix fixed following for from get gets getting github give going good got great had happen happens has have
    having hello help her here hey him his hope how however http https idea improve instead into isn issue issues its just keep know
    let like long look looking looks lot love made make makes making many maybe mean more most much must need needed needs new nice not
    nothing now off often okay old one only open option optional other otherwise our out over own per perhaps please possible possibility
    problem provide question rather really reason request requests right run running said same say says see seem seems set
    should show since single some someone something still such suggestion sure take than thank thanks that the their them then
    there these they thing think this those though through time tried try trying two under until update use used useful
    user users uses using very via want wanted wants was way well were what when where whether which while who why will with
    within without won work working works would www yes yet you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Text:
    """One text with its key; `title` says what it is about, `body` the rest."""

    key: str
    title: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """Texts that belong together, the most typical first. `alike` is their average similarity, 0 to 1."""

    keys: tuple[str, ...]
    alike: float


def words_of(text: str) -> list[str]:
    """Words that tell texts apart, folded and without their commonest endings."""
    return [stem(word) for word in _WORD.findall(fold(text)) if word not in STOP_WORDS]


def stem(word: str) -> str:
    """A word without its ending, so that "pausing" and "pause" are one."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def topics(texts: Sequence[Text], *, alike: float = ALIKE) -> list[Topic]:
    """Groups of two or more, the largest first."""
    texts = sorted(texts[:MOST_TEXTS], key=lambda text: text.key)
    counts = [_counted(text) for text in texts]
    if len(texts) < 2:
        return []
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    similar = _cosines(counts)
    distance = 1.0 - similar
    labels = fcluster(linkage(squareform(distance, checks=False), "average"), t=1.0 - alike, criterion="distance")
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        groups.setdefault(int(label), []).append(place)
    found = []
    for members in groups.values():
        if len(members) < 2:
            continue
        among = similar[members][:, members]
        total = among.sum(axis=1) - 1.0
        typical = sorted(range(len(members)), key=lambda place: (-total[place], members[place]))
        average = float(total.sum() / (len(members) * (len(members) - 1)))
        found.append(Topic(tuple(texts[members[place]].key for place in typical), round(average, 3)))
    return sorted(found, key=lambda topic: (-len(topic.keys), topic.keys))


def _counted(text: Text) -> Counter[str]:
    counted = Counter(words_of(text.body[:2000]))
    for word in words_of(text.title):
        counted[word] += TITLE_COUNTS
    return counted


def _cosines(counts: Sequence[Counter[str]]):  # type: ignore[no-untyped-def]
    """Cosine of every two texts. A text without a telling word is alike to none."""
    import numpy as np

    documents: Counter[str] = Counter(word for counted in counts for word in counted)
    most = max(FEW, TOO_COMMON * len(counts))
    vocabulary = {word: place for place, word in enumerate(sorted(w for w, n in documents.items() if 1 < n <= most))}
    matrix = np.zeros((len(counts), max(1, len(vocabulary))), dtype=np.float32)
    for row, counted in enumerate(counts):
        for word, number in counted.items():
            if word in vocabulary:
                matrix[row, vocabulary[word]] = (1 + math.log(number)) * math.log(len(counts) / documents[word])
            # A word of its own still makes a text longer, and so less alike to the others.
    lengths = np.array([_length(counted, documents, len(counts), most) for counted in counts], dtype=np.float32)
    matrix /= np.where(lengths > 0, lengths, 1.0)[:, None]
    similar = np.clip(matrix @ matrix.T, 0.0, 1.0)
    np.fill_diagonal(similar, 1.0)
    return similar


def _length(counted: Counter[str], documents: Counter[str], texts: int, most: float) -> float:
    weights = (
        (1 + math.log(number)) * math.log(texts / documents[word])
        for word, number in counted.items()
        if documents[word] <= most
    )
    return math.sqrt(sum(weight * weight for weight in weights))


def nearest(text: Text, others: Sequence[Text], *, most: int = 3, alike: float = ALIKE) -> list[tuple[int, float]]:
    """Those of a few other texts that speak of the same thing: their places and cosines, the nearest first.

    Weights are smoothed, log(1 + texts / texts with the word), so that a word shared by two of three texts still counts.
    """
    counts = [_counted(one) for one in (text, *others)]
    documents: Counter[str] = Counter(word for counted in counts for word in counted)
    weighed = [
        {word: (1 + math.log(number)) * math.log(1 + len(counts) / documents[word]) for word, number in counted.items()}
        for counted in counts
    ]
    mine, *theirs = weighed
    found = [(place, _cosine(mine, one)) for place, one in enumerate(theirs)]
    return sorted((pair for pair in found if pair[1] >= alike), key=lambda pair: (-pair[1], pair[0]))[:most]


def _cosine(one: dict[str, float], two: dict[str, float]) -> float:
    lengths = math.sqrt(sum(v * v for v in one.values())) * math.sqrt(sum(v * v for v in two.values()))
    return sum(weight * two[word] for word, weight in one.items() if word in two) / lengths if lengths else 0.0
