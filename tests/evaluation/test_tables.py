"""Label tables in the layouts that people have, and what is wrong in a row, row by row."""

import csv
import io
from typing import Any

import pytest

from evaluation.intake import label_rows
from evaluation.intake.label_rows import NeedsMapping, Reading
from evaluation.intake.table import Column, ColumnMapping, Refused, Unreadable, parse

HAM = """lesion_id,image_id,dx,dx_type,age,sex,localization
HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp
HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp
HAM_0002730,ISIC_0026769,akiec,follow_up,,unknown,unknown
"""
ISIC_2018 = """image,MEL,NV,BCC,AKIEC,BKL,DF,VASC
ISIC_0000001,0.0,1.0,0.0,0.0,0.0,0.0,0.0
ISIC_0000002,0.0,0.0,0.0,1.0,0.0,0.0,0.0
"""
ISIC_2019 = """image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK
ISIC_0000001,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0
ISIC_0000002,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0
ISIC_0000003,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0
ISIC_0000004,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0
ISIC_0000005,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0
"""
ISIC_2020 = """image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target
ISIC_2637011,IP_7279968,male,45.0,head/neck,unknown,benign,0
ISIC_0015719,IP_3075186,female,45.0,upper extremity,nevus,benign,0
ISIC_0052212,IP_2842074,female,50.0,lower extremity,melanoma,malignant,1
"""
ARCHIVE = """isic_id,attribution,copyright_license,age_approx,anatom_site_general,diagnosis_1,diagnosis_2,diagnosis_3,\
diagnosis_4,diagnosis_5,diagnosis_confirm_type,fitzpatrick_skin_type,lesion_id,patient_id,sex
ISIC_1,"ViDIR Group, Vienna",CC-BY-NC,85,posterior torso,Benign,Benign melanocytic proliferations,Nevus,,,\
histopathology,II,IL_1,IP_1,female
ISIC_2,Anonymous,CC-0,30,,Malignant,Malignant epidermal proliferations,Squamous cell carcinoma in situ,\
"Squamous cell carcinoma in situ, Bowens disease",,,,IL_2,IP_2,male
ISIC_3,Anonymous,CC-0,,,Benign,,,,,,,,,
"""


def read(text: str | bytes, mapping: dict[str, Any] | None = None) -> Reading:
    table = parse(text.encode() if isinstance(text, str) else text)
    return label_rows.read(table, ColumnMapping(**(mapping or {})))


def codes(reading: Reading) -> dict[str, str]:
    return {row.image: row.label.code for row in reading.rows}


def refused(reading: Reading) -> dict[int | None, str]:
    return {entry.row: entry.reason for entry in reading.refused}


def test_ham10000_metadata():
    reading = read(HAM)
    first, _second, third = reading.rows
    assert codes(reading) == {"ISIC_0027419": "bkl", "ISIC_0025030": "bkl", "ISIC_0026769": "akiec"}
    assert (first.row, first.lesion, first.age, first.sex, first.site, first.dx_type) == (
        2,
        "HAM_0000118",
        80.0,
        "male",
        "scalp",
        "histo",
    )
    assert (third.age, third.sex, third.site) == (None, "", "")
    assert not reading.refused
    assert not reading.warnings


def test_the_truth_of_isic_2018_has_a_column_for_each_class():
    reading = read(ISIC_2018)
    assert codes(reading) == {"ISIC_0000001": "nv", "ISIC_0000002": "akiec"}
    assert "No lesion is named" in reading.warnings[0]


def test_the_truth_of_isic_2019_with_an_unknown_class():
    reading = read(ISIC_2019)
    assert codes(reading) == {"ISIC_0000001": "mel", "ISIC_0000002": "scc"}
    reasons = refused(reading)
    assert "'UNK' is not known" in reasons[4]
    assert reasons[5] == "2 classes are marked; exactly one was expected"
    assert reasons[6] == "0 classes are marked; exactly one was expected"


def test_a_cell_that_is_no_number_costs_its_row_and_not_the_one_hot_table():
    rows = [f"ISIC_{place:07},{int(place % 2)},{int(not place % 2)},0" for place in range(30)]
    reading = read("\n".join(["image,MEL,NV,BCC", *rows[:10], "ISIC_0000100,x,1,0", *rows[10:]]))
    assert len(reading.rows) == 30
    assert reading.refused == [Refused(12, "ISIC_0000100", "a class column holds 'x'; 0 or 1 was expected")]


def test_the_truth_of_isic_2020_keeps_patients():
    reading = read(ISIC_2020)
    assert codes(reading) == {"ISIC_0015719": "nv", "ISIC_0052212": "mel"}
    assert refused(reading) == {2: "the row has no label"}
    assert [row.patient for row in reading.rows] == ["IP_3075186", "IP_2842074"]
    assert reading.rows[1].site == "lower extremity"


def test_isic_2020_by_its_coarse_column_takes_all():
    reading = read(ISIC_2020, {"columns": {"label": "benign_malignant"}})
    assert list(codes(reading).values()) == ["benign", "benign", "malignant"]


def test_metadata_of_the_archive_take_the_most_exact_level():
    reading = read(ARCHIVE)
    first, second, third = reading.rows
    assert codes(reading) == {"ISIC_1": "nv", "ISIC_2": "scc_is", "ISIC_3": "benign"}
    assert (first.attribution, first.licence, first.skin_type) == ("ViDIR Group, Vienna", "CC-BY-NC", "II")
    assert (first.dx_type, first.site, first.patient) == ("histopathology", "posterior torso", "IP_1")
    assert (second.lesion, third.lesion, third.age) == ("IL_2", "", None)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_is_seen(separator):
    text = HAM.replace(",", separator)
    assert codes(read(text)) == codes(read(HAM))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_encoding_and_line_end_is_seen(encoding, end):
    text = f"image;diagnosis;attribution{end}Füße;nv;Universität Köln{end}"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    (row,) = read(mark + text.encode(encoding)).rows
    assert (row.image, row.label.code, row.attribution, row.row) == ("Füße", "nv", "Universität Köln", 2)


def test_a_quoted_line_break_is_part_of_its_cell_and_rows_count_as_in_a_spreadsheet():
    reading = read('image,diagnosis,note\na,nv,"two\nlines"\nb,wrong,\n"c",mel,"a, ""b"""\n')
    assert [(row.image, row.row) for row in reading.rows] == [("a", 2), ("c", 4)]
    assert list(refused(reading)) == [3]


def test_a_quote_that_is_not_closed_costs_one_row():
    lines = [f"img{place},nv" for place in range(2, 100)]
    lines[10] = '"img12,nv'
    lines[50] = 'img52,"nv'
    reading = read("image,diagnosis\n" + "\n".join(lines))
    assert len(reading.rows) == 96
    assert [(entry.row, entry.reason) for entry in reading.refused] == [
        (12, "a quotation mark is not closed, or stands inside a cell"),
        (52, "a quotation mark is not closed, or stands inside a cell"),
    ]


def test_empty_lines_are_passed_over_and_counted():
    reading = read("image,diagnosis\n\na,nv\n,,\n \nb,mel\n")
    assert [(row.image, row.row) for row in reading.rows] == [("a", 3), ("b", 6)]


def test_a_table_that_nobody_understands_asks_with_columns_and_a_guess():
    text = "Foto,Befund,Alter\nIMG1.jpg,x1,50\nIMG2.jpg,x2,\n"
    with pytest.raises(NeedsMapping) as caught:
        read(text)
    assert caught.value.columns == [
        Column("Foto", ["IMG1.jpg", "IMG2.jpg"]),
        Column("Befund", ["x1", "x2"]),
        Column("Alter", ["50"]),
    ]
    assert (caught.value.guess["image"], caught.value.guess["label"]) == ("Foto", "")
    assert "label" in str(caught.value)
    reading = read(text, {"columns": {"label": "Befund", "age": "Alter"}, "labels": {"x1": "mel", "x2": "nv"}})
    assert codes(reading) == {"IMG1.jpg": "mel", "IMG2.jpg": "nv"}
    assert reading.rows[0].age == 50


@pytest.mark.parametrize(
    ("columns", "problem"), [({"image": "none"}, "no column named 'none'"), ({"image": ""}, "picture's name")]
)
def test_a_mapping_that_does_not_fit_asks_again(columns, problem):
    with pytest.raises(NeedsMapping, match=problem):
        read(HAM, {"columns": columns})


def test_columns_of_a_strange_shape_are_passed_over():
    assert codes(read(HAM, {"columns": {"image": ["dx"], "label": ["dx"], "levels": "dx"}})) == codes(read(HAM))


def test_a_told_label_column_comes_before_a_one_hot_guess():
    text = "image,MEL,NV,second reader\na,1,0,nv\nb,0,1,mel\n"
    assert codes(read(text)) == {"a": "mel", "b": "nv"}
    assert codes(read(text, {"columns": {"label": "second reader"}})) == {"a": "nv", "b": "mel"}


def test_a_guessed_column_can_be_set_aside():
    text = "image,diagnosis,site\na,nv,Rücken\n"
    assert "'Rücken'" in refused(read(text))[2]
    assert codes(read(text, {"columns": {"site": ""}})) == {"a": "nv"}


def test_a_label_column_of_another_name_is_found_by_its_words():
    assert codes(read("Datei,Befund\n1.png,melanoma\n2.png,nevus\n")) == {"1.png": "mel", "2.png": "nv"}


def test_a_row_repeated_with_the_same_label_is_refused_and_its_picture_stays():
    reading = read("image,diagnosis\na.jpg,nv\nA,NV\nfolder/a.png,nevus\n")
    assert codes(reading) == {"a.jpg": "nv"}
    assert set(refused(reading)) == {3, 4}
    assert "row 2 already" in refused(reading)[3]


def test_a_row_repeated_with_another_label_refuses_both():
    reading = read("image,diagnosis\na,nv\nb,nv\na.jpg,mel\n")
    assert codes(reading) == {"b": "nv"}
    assert refused(reading) == dict.fromkeys((2, 4), "the image is labelled mel and nv in rows 2, 4")


def test_the_same_name_in_two_folders_is_two_pictures():
    reading = read("path,label\nmel/1.jpg,mel\nnv\\1.jpg,nv\nnv/1.jpg,nv\n")
    assert codes(reading) == {"mel/1.jpg": "mel", "nv\\1.jpg": "nv"}
    assert list(refused(reading)) == [4]


def test_formulas_are_text():
    reading = read('image,diagnosis,lesion_id,attribution\na,nv,=1+1,"=HYPERLINK(""http://127.0.0.1/"")"\n=cmd,nv,,\n')
    assert [(row.image, row.lesion, row.attribution) for row in reading.rows] == [
        ("a", "=1+1", '=HYPERLINK("http://127.0.0.1/")'),
        ("=cmd", "", ""),
    ]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (",nv,,,,", "names no image"),
        ("a,,,,,", "has no label"),
        ("a,n/a,,,,", "has no label"),
        ("a,melanom,,,,", "'melanom' is not known"),
        ("a,nv,old,,,", "'old' is no number"),
        ("a,nv,-1,,,", "not between 0 and 120"),
        ("a,nv,999,,,", "not between 0 and 120"),
        ("a,nv,inf,,,", "not between 0 and 120"),
        ("a,nv,,x,,", "'x' is not female or male"),
        ("a,nv,,,elbow,", "'elbow' is not one of the known words"),
        ("a,nv,,,,VII", "'VII' is not I to VI"),
        ("a,nv,,,,,,", "8 cells, the header 6"),
        ("a,nv", "2 cells, the header 6"),
    ],
)
def test_a_wrong_cell_refuses_its_row_by_number(cells, reason):
    reading = read(f"image,diagnosis,age,sex,site,skin_type\nok,mel,85+,F,Head/Neck,2\n{cells}\n")
    (row,) = reading.rows
    assert (row.age, row.sex, row.site, row.skin_type) == (85.0, "female", "head/neck", "II")
    (entry,) = reading.refused
    assert entry.row == 3
    assert reason in entry.reason


def test_a_row_of_another_width_is_named_by_its_image():
    reading = read("lesion_id,image_id,dx\nL1,a,nv\nL2,b,nv,\nL3\n")
    assert [(entry.row, entry.file) for entry in reading.refused] == [(3, "b"), (4, "")]


def test_lesions_with_two_labels_or_two_patients_are_told():
    reading = read("image,diagnosis,lesion_id,patient_id\na,nv,L1,P1\nb,mel,L1,P2\nc,nv,L2,P3\n")
    assert len(reading.rows) == 3
    assert [warning[:30] for warning in reading.warnings] == [
        "1 lesions have images with dif",
        "1 lesions belong to more than ",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04\x00\x00",
        "image,diagnosis".encode("utf-16-le"),
        "\ufeffimage\x00,diagnosis".encode("utf-16-le"),
        b"image,diagnosis,image\na,nv,b",
        b",".join(b"c%d" % place for place in range(400)),
        b"image,diagnosis\n" * 200_002,
        b'"image,diagnosis\na,nv\n',
    ],
)
def test_what_is_no_table_is_unreadable(content):
    with pytest.raises(Unreadable):
        parse(content)


def test_a_large_table_is_read_in_seconds():
    file = io.StringIO()
    file.write("image,diagnosis\n")
    file.writelines(f"ISIC_{place:07},{'nv' if place % 3 else 'mel'}\n" for place in range(100_000))
    assert len(read(file.getvalue()).rows) == 100_000


@pytest.fixture
def nasty(shared_data):
    return shared_data / "nasty" / "tables"


@pytest.mark.parametrize(
    ("name", "good", "reasons"),
    [
        ("labels_bom_crlf.csv", 2, {}),
        ("labels_formula.csv", 2, {}),
        ("labels_onehot.csv", 2, {}),
        ("labels_cp1252_semicolon.csv", 0, {2: "'Rücken'", 3: "'Fuß'"}),
        ("labels_conflict.csv", 2, {2: "mel and nv", 3: "mel and nv", 6: "'lentigo' is not known"}),
    ],
)
def test_nasty_tables_are_read_and_their_problems_named(nasty, name, good, reasons):
    reading = read((nasty / name).read_bytes())
    assert len(reading.rows) == good
    assert set(refused(reading)) == set(reasons)
    assert all(reason in refused(reading)[row] for row, reason in reasons.items())


def test_no_nasty_table_is_without_a_test(nasty):
    with (nasty.parent / "README.csv").open() as file:
        listed = {row["file"] for row in csv.DictReader(file) if row["file"].startswith("tables/")}
    assert listed == {f"tables/{path.name}" for path in nasty.iterdir()}
    assert len(listed) == 5
