"""A real upload: 1,000 rows, 37 of them defective in 15 ways. Each is named by its row, the rest is in."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from skinsite.jobs import State
from tests.factories.data_sets import imported
from tests.pictures import picture

ROWS, DEFECTS = 1000, 37
HEADER = "image,diagnosis,lesion_id,age,sex,site"


@dataclass(frozen=True)
class Line:
    image: str
    label: str
    lesion: str
    age: str = "55"
    sex: str = "female"
    site: str = "back"
    tail: str = ""

    def __str__(self) -> str:
        return f"{self.image},{self.label},{self.lesion},{self.age},{self.sex},{self.site}{self.tail}"


def cut(line: Line) -> str:
    return str(line).rpartition(",")[0]


def named_twice(label: str) -> Callable[[Line], Line]:
    return lambda line: replace(line, image="two_labels.jpg", label=label)


KINDS = {
    "the row names no image": [lambda line: replace(line, image="")] * 3,
    "the row has no label": [lambda line: replace(line, label=" ")] * 3,
    "the label 'melanom' is not known": [lambda line: replace(line, label="melanom")] * 3,
    "labelled mel and nv": [named_twice("mel"), named_twice("nv")],
    "with the same label": [lambda line: replace(line, image="IMG_0000", label="mel")] * 2,
    "is no number": [lambda line: replace(line, age="fifty")] * 3,
    "not between 0 and 120": [lambda line: replace(line, age="190")] * 3,
    "is not female or male": [lambda line: replace(line, sex="x")] * 3,
    "not one of the known words": [lambda line: replace(line, site="elbow pit")] * 3,
    "7 cells, the header 6": [lambda line: replace(line, tail=",?")] * 2,
    "5 cells, the header 6": [cut] * 2,
    "a quotation mark": [lambda line: replace(line, site='"back')] * 2,
    "no picture of this name": [lambda line: replace(line, image=f"lost_{line.image}")] * 2,
    "incomplete or damaged": [lambda line: line] * 2,
    "content is no picture": [lambda line: line] * 2,
}
BROKEN = {
    "incomplete or damaged": lambda content: content[: len(content) // 2],
    "content is no picture": lambda _: b"hi",
}


@pytest.mark.django_db(transaction=True)
def test_each_defect_is_named_with_its_row_and_all_other_rows_are_in(monkeypatch):
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda *_: None)
    assert len(KINDS) == 15
    defects = [(reason, spoil) for reason, spoils in KINDS.items() for spoil in spoils]
    assert len(defects) == DEFECTS
    lines, members, expected, good = [], {"two_labels.jpg": picture(ROWS, (48, 40))}, {}, set()
    for place in range(ROWS):
        line = Line(f"IMG_{place:04}", "nv" if place % 3 else "mel", f"L{place // 2}")
        content = picture(place, (48, 40))
        if place % 27 == 5 and defects:
            reason, spoil = defects.pop(0)
            expected[place + 2] = reason
            content = BROKEN.get(reason, bytes)(content)
            lines.append(str(spoil(line)))
        else:
            good.add(line.image)
            lines.append(str(line))
        members[f"set/{line.image}.jpg"] = content
    data_set = imported({**members, "labels.csv": "\n".join([HEADER, *lines])})
    assert data_set.state == State.DONE
    assert set(data_set.images.values_list("name", flat=True)) == good
    assert len(good) == data_set.document["images"] == ROWS - DEFECTS
    named = [entry for entry in data_set.refused if entry["row"]]
    nameless = [entry for entry in data_set.refused if not entry["row"]]
    assert {entry["reason"] for entry in nameless} == {"the label table does not name it"}
    assert len(nameless) == 11, "pictures whose row lost their name"
    assert [entry["row"] for entry in named] == sorted(expected)
    for entry in named:
        assert expected[entry["row"]] in entry["reason"]
