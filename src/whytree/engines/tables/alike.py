"""Whether a column's texts are all there and all different, as ids mostly are: told by their hashes, in a third of the time
that numbering them takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

#: Odd, with its bits well mixed: the golden ratio of 2^64 (Knuth, The Art of Computer Programming 3, 6.4).
_MIXER = np.uint64(0x9E3779B97F4A7C15)

#: Keeps the first so many bytes of a little-endian word.
_FIRST = np.array([(1 << 8 * kept) - 1 for kept in range(9)], dtype=np.uint64)

#: Bytes of a text beyond which hashing word by word is no quicker than numbering.
LONGEST = 64

#: Places for each text: an eighth of them then share theirs and are looked at once more.
ROOM = 4


def are_distinct(texts: Any) -> bool:
    """Of an Arrow array of strings. True is certain; where two might be alike, one is missing or blank, it is False."""
    if texts.null_count or not len(texts):
        return False
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    lengths = np.diff(bounds)
    if not 0 < int(lengths.min()) <= int(lengths.max()) <= LONGEST:
        return False
    content = np.zeros(int(bounds[-1] - bounds[0]) + 8, dtype=np.uint8)
    content[:-8] = np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[-1]]
    starts = bounds[:-1] - bounds[0]
    first = content[starts]
    if bool(((first <= ord(" ")) | (first > 127)).any()):
        return False  # space, or what may be space beyond ASCII
    return _differ(_hashes(content, starts, lengths))


def _hashes(content: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Words:
    """Eight bytes at a time, of every text at once. Alike texts have alike hashes: that is all that is asked of them."""
    words: Words = np.ndarray((len(content) - 7,), dtype="<u8", buffer=content.data, strides=(1,))
    hashes = lengths.astype(np.uint64) * _MIXER
    for at in range(0, int(lengths.max()), 8):
        hashes ^= words[np.minimum(starts + at, len(words) - 1)] & _FIRST[np.clip(lengths - at, 0, 8)]
        hashes *= _MIXER
        hashes ^= hashes >> np.uint64(29)
    return hashes


def _differ(hashes: Words) -> bool:
    """Each is put at a place that it names itself; who finds another there is compared with it, and with the others."""
    bits = (ROOM * len(hashes)).bit_length()
    places = ((hashes * _MIXER) >> np.uint64(64 - bits)).astype(np.int64)
    holder = np.empty(1 << bits, dtype=np.int32)
    own = np.arange(len(hashes), dtype=np.int32)
    holder[places] = own
    held = holder[places]
    moved = np.flatnonzero(held != own)
    late = hashes[moved]
    if bool((hashes[held[moved]] == late).any()):
        return False
    late.sort()
    return not bool((late[1:] == late[:-1]).any())
