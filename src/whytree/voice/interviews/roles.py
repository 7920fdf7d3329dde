"""Who of those who speak in a transcript is of the team: their words are questions, never evidence."""

from collections.abc import Iterable, Sequence

from whytree.voice.models import VoiceSettings
from whytree.workspace.models import Membership, Product


def is_interviewer(speaker: str, interviewers: Iterable[str]) -> bool:
    """Whether a speaker is one of these: "Mei" in a transcript is "Mei Tanaka", and the other way round."""
    words = set(speaker.casefold().split())
    return bool(words) and any(
        words <= (named := set(name.casefold().split())) or (named and named <= words) for name in interviewers
    )


def guess_interviewers(product: Product, speakers: Sequence[str], participant: str = "") -> list[str]:
    """Those among the speakers who are members here or named as team, unless the participant goes by that name too."""
    names = [
        *Membership.objects.filter(product=product).exclude(user__name="").values_list("user__name", flat=True),
        *(name for name in VoiceSettings.of(product).team if "@" not in name and "." not in name),
    ]
    others = [speaker for speaker in speakers if not (participant and is_interviewer(speaker, [participant]))]
    return [speaker for speaker in others if is_interviewer(speaker, names)]
