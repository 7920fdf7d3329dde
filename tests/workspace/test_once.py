"""What the parts of a page ask for is asked for once while it is drawn, and anew everywhere else."""

from whytree.workspace.background.once import once_a_page, one_page

asked: list[tuple[int, bool]] = []


@once_a_page
def look(number: int, *, closely: bool = False) -> list[int]:
    asked.append((number, closely))
    return [number]


def test_a_page_asks_once_and_an_act_every_time() -> None:
    asked.clear()
    with one_page():
        assert [look(1), look(1), look(2), look(1, closely=True)] == [[1], [1], [2], [1]]
    assert asked == [(1, False), (2, False), (1, True)]
    with one_page():
        look(1)
    look(1)
    look(1)
    assert asked[3:] == [(1, False)] * 3


def test_what_fails_is_asked_for_again() -> None:
    tries: list[int] = []

    @once_a_page
    def fail_first() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError
        return "there"

    with one_page():
        try:
            fail_first()
        except ValueError:
            assert fail_first() == "there"
    assert len(tries) == 2
