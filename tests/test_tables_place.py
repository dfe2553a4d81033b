"""Where the table lies in its file, and which rows are subjects."""

import re

import pandas as pd
import pyreadstat
import pytest
from table_files import PEOPLE, book, changed, is_people, lines, refusal, repacked, said, text

from clamlab.schema import draft_schema, read_table

TITLE = [["Our clinic"], [], *PEOPLE]
GROUPS = [[None, "Person", None], *PEOPLE]
TITLES = [["Patient", "Age (years)", "Sex (m or f)"], *PEOPLE]
UNITS = [PEOPLE[0], [None, "years", "-"], *PEOPLE[1:]]
LEGEND = [["sex", "meaning"], ["m", "male"], ["f", "female"]]
OLD = [PEOPLE[0], *[[i, 99, s] for i, _, s in PEOPLE[1:]]]
PLACES = {
    "title line": (dict(Data=TITLE), {}, "taken from row 3\n1 row above the table left out"),
    "groups above": (dict(Data=GROUPS), {}, "taken from row 2"),
    "titles above names": (dict(Data=TITLES), {}, "taken from row 2"),
    "units below names": (dict(Data=UNITS), {}, ""),
    "legend first": (dict(Legend=LEGEND, Data=PEOPLE), {},
                     "from sheet 'Data', the columns' names from row 1; other sheets: 'Legend'"),
    "remarks first": (dict(Read=[["Please do not"], ["change"]], Data=TITLE), {}, "sheet 'Data'"),
    "old version, told": (dict(Old=OLD, New=PEOPLE), dict(sheet="New"), "other sheets: 'Old'"),
    "row told": (dict(Data=[["id", "b", "c"], [1, 2, 3], *PEOPLE]), dict(header=3),
                 "2 rows above the table left out"),
    "a sheet that is blank": (dict(Data=PEOPLE, Sheet2=[], Sheet3=[]), {}, "sheets: 'Sheet2', "),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLACES)
def test_the_table_is_found_and_said(tmp_path, kind):
    sheets, options, told = PLACES[kind]
    table = read_table(book(tmp_path, **sheets), **options)
    assert is_people(table), table
    assert told in said(table)


def test_units_below_the_names_are_the_units_of_the_contract(tmp_path):
    table = read_table(book(tmp_path, Data=UNITS))
    assert table.attrs["units"] == {"age": "years"}
    assert draft_schema(table)["properties"]["age"]["x-units"] == "years"


def test_a_title_above_text_is_no_header(tmp_path):
    table = read_table(text(tmp_path, "Our clinic;;\n\n" + lines(PEOPLE, ";")))
    assert is_people(table) and "taken from row 3" in said(table)


def test_a_hidden_sheet_is_not_taken_unless_told(tmp_path):
    file = book(tmp_path, Data=PEOPLE, Old=OLD)
    changed(file, lambda b: setattr(b["Old"], "sheet_state", "hidden"))
    assert is_people(read_table(file)) and "other sheets: 'Old' (hidden)" in said(read_table(file))
    assert read_table(file, sheet="Old")["age"].tolist() == [99, 99, 99]
    changed(file, lambda b: b.remove(b["Data"]) or b.create_sheet("Note").append(["see", "Old"]))
    assert "on hidden sheets: 'Old' (header in row 1, 3 rows below)" in refusal(file)


UNCLEAR = {
    "two sheets of patients": (
        dict(A=TITLE, B=OLD), {},
        r"holds 2 tables that could be meant: 'A' \(header in row 3, 3 rows below\); 'B' \(header "
        r"in row 1, 3 rows below\); choose with --sheet NAME",
    ),
    "two sheets without ids": (
        dict(A=LEGEND, B=[["x", "y"], ["a", "b"]]), {}, "2 tables that could be meant: 'A' .*; 'B'",
    ),
    "patients with a gap in the header": (
        dict(A=PEOPLE, B=[["id", None, "x"], [1, 2, 3]]), {}, r"'A' .*; 'B' \(its header is not c",
    ),
    "no such sheet": (dict(A=PEOPLE), dict(sheet="B"), "has no sheet 'B': there are 'A'"),
    "no such row": (dict(A=PEOPLE), dict(header=9), "row 9 is blank"),
    "row without names": (dict(A=GROUPS), dict(header=1), r"column 1 \(A\) holds values but has"),
    "names in two rows": (
        dict(A=[["Patient", "FVC", None], [None, "l", "%"], ["S1", 3.1, 80]]), {},
        r"column 3 \(C\) holds values but has no name in the header in row 1 .*stands in row 2",
    ),
    "no header": (dict(A=PEOPLE[1:]), {}, "no row names the columns: the first .1. holds"),
    "a remark beside": (
        dict(A=[*PEOPLE[:3], [*PEOPLE[3], None, "ask!"]]), {}, r"column 5 \(E\) .* stands in row 4",
    ),
    "one name twice": (
        dict(A=[["id", "age", "age"], ["S1", 1, 2]]), {}, "columns appear twice: age",
    ),
    "a second table below": (
        dict(A=[*PEOPLE, [], ["patient", "dose", None], ["S1", 3, None]]), {},
        "row 6 looks like the header of a second table",
    ),
    "header only": (dict(A=PEOPLE[:1]), {}, "a header and no row below it"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNCLEAR)
def test_what_could_be_two_things_is_refused_with_both_named(tmp_path, kind):
    sheets, options, told = UNCLEAR[kind]
    found = refusal(book(tmp_path, **sheets), **options)
    assert re.search(told, found), found


FOOTS = {
    "total": ([["Total", 163, None]], "row 5 ('Total')"),
    "mean and sd": ([["Mean", 54.3], ["SD", 7.0]], "row 5 ('Mean'), row 6 ('SD')"),
    "number": ([["n = 3"]], "row 5 ('n = 3')"),
    "stars": ([[], ["* measured at rest"], ["† by telephone"]], "row 6 ('* measured at rest')"),
    "note without mark": ([["Values from the old lab"]], "row 5 ('Values from the old lab')"),
    "total in another column": ([[None, 163, "Total"]], "row 5 ('163')"),
    "German": ([["Mittelwert", 54.3], ["Quelle: Klinik"]], "row 5 ('Mittelwert'), row 6 ('Quelle"),
    "header again": ([PEOPLE[0]], "the header stands again in row 5: left out"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOOTS)
@pytest.mark.parametrize("write", ["xlsx", "csv"])
def test_what_stands_below_is_no_subject(tmp_path, kind, write):
    foot, told = FOOTS[kind]
    rows = [*PEOPLE, *foot]
    plain = [["" if cell is None else cell for cell in row] for row in rows]
    file = book(tmp_path, Data=rows) if write == "xlsx" else text(tmp_path, lines(plain, ";"))
    table = read_table(file)
    assert is_people(table) and told in said(table)


def test_who_has_no_id_is_not_left_out(tmp_path):
    found = refusal(book(tmp_path, Data=[*PEOPLE[:3], [None, 55, "f"], PEOPLE[3]]))
    assert "no id in 1 of 4 rows (below the header: 3); fill in the ids" in found
    assert "no id in 1 of 4 rows" in refusal(book(tmp_path, Data=[*PEOPLE, [None, 55, "f"]]))


def test_people_with_short_names_stay(tmp_path):
    table = read_table(text(tmp_path, "patient,age\nMax,61\nNotburga,47\nMeander,50\n"))
    assert table["patient"].tolist() == ["Max", "Notburga", "Meander"]
    last = read_table(text(tmp_path, "patient,age\nNotburga,47\nAverageman,50\n"))
    assert len(last) == 2


def test_formulas_that_were_never_calculated_are_refused(tmp_path):
    def formulas(b):
        b["Data"]["B2"], b["Data"]["B4"] = "=60+1", "=50+5"

    told = refusal(changed(book(tmp_path, Data=PEOPLE), formulas))
    assert "formulas were never calculated (B2, B4): open the file in Excel, save it" in told
    # a program that writes a filler for each, and one that asks for no calculation
    file = changed(book(tmp_path, Data=PEOPLE), formulas)
    repacked(file, lambda n, b: b.replace(b"<v></v>", b"<v>0</v>").replace(b"<v/>", b"<v>0</v>"))
    assert "never calculated (B2, B4)" in refusal(file)
    file = changed(book(tmp_path, Data=PEOPLE), formulas)
    repacked(file, lambda n, b: re.sub(rb"<calcPr[^>]*/>", b"", b))
    assert "never calculated (B2, B4)" in refusal(file)


def test_formulas_with_their_values_are_values(tmp_path):
    def calculated(name, data):
        data = re.sub(rb"<calcPr[^>]*/>", b"", data)
        return data.replace(b"<f>60+1</f><v></v>", b"<f>60+1</f><v>61</v>").replace(
            b"<f>60+1</f><v/>", b"<f>60+1</f><v>61</v>"
        )

    file = changed(book(tmp_path, Data=PEOPLE), lambda b: b["Data"].__setitem__("B2", "=60+1"))
    assert is_people(read_table(repacked(file, calculated)))
    below = changed(
        book(tmp_path, Data=[*PEOPLE, ["Mean", None]]),
        lambda b: b["Data"].__setitem__("B5", "=AVERAGE(B2:B4)"),
    )
    assert is_people(read_table(below)), "what is left out need not be calculated"


def test_what_is_hidden_or_filtered_is_said(tmp_path):
    def hide(b):
        sheet = b["Data"]
        sheet.row_dimensions[2].hidden = sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["C"].hidden = True
        sheet.auto_filter.ref = "A1:C4"
        sheet.auto_filter.add_filter_column(2, ["f"])

    table = read_table(changed(book(tmp_path, Data=PEOPLE), hide))
    assert is_people(table)
    assert said(table).splitlines() == [
        "a filter is set in the sheet",
        "hidden in the sheet, and read like the others: row 2-3",
        "hidden in the sheet, and read like the others: column sex",
    ]


@pytest.mark.parametrize("cells", ["A2:A3", "B3:C3"])
def test_merged_cells_among_the_subjects_are_refused(tmp_path, cells):
    file = changed(book(tmp_path, Data=PEOPLE), lambda b: b["Data"].merge_cells(cells))
    assert f"cells within the table are merged ({cells})" in refusal(file)


def test_merged_titles_are_titles(tmp_path):
    file = book(tmp_path, Data=[["Our clinic", None, None], *PEOPLE])
    assert is_people(read_table(changed(file, lambda b: b["Data"].merge_cells("A1:C1"))))


def test_a_case_among_the_data_is_no_header(tmp_path):
    rows = [["Code", "group", "sex"], ["a", "case", "m"], ["b", "case", "f"], ["c", "control", "f"]]
    table = read_table(book(tmp_path, Data=rows))
    assert list(table) == ["Code", "group", "sex"] and len(table) == 3
    one = read_table(text(tmp_path, "Code,group,age\na,case,61\nb,control,47\n"))
    assert list(one) == ["Code", "group", "age"] and len(one) == 2


def test_cells_shown_as_percent_are_said(tmp_path):
    def percent(*places, shown="0.0%"):
        def act(b):
            for place in places:
                b.active[place].number_format = shown

        return act

    people = [["subject_id", "share"], ["007", 0.12], ["008", 0.5], ["010", 0.9]]
    table = read_table(changed(book(tmp_path, Data=people), percent("B2", "B4")))
    assert table["share"].tolist() == [0.12, 0.5, 0.9]
    assert said(table) == "shown as percent, read as fractions (0.45 for 45 %): B2, B4"
    people[3][1] = 16
    written = read_table(changed(book(tmp_path, Data=people), percent("B2", shown='0.00"%"')))
    assert "percent" not in said(written)  # 0.12 %, as it stands there
    told = refusal(changed(book(tmp_path, Data=people), percent("B2", "B3")))
    assert "B2, B3 are shown as percent" in told and "B4 in the same column are not" in told


def test_totals_with_what_follows_them_are_totals(tmp_path):
    foot = [
        "Mean ± SD;54 ± 7;",
        "Median [IQR];55;",
        "Total (n=3);;",
        "MW;54;",
        "Stabw;7;",
        "Remarks",
    ]
    table = read_table(text(tmp_path, lines(PEOPLE, ";") + "\n".join(foot) + "\n"))
    assert is_people(table) and "row 5 ('Mean ± SD')" in said(table)


def test_what_may_be_no_subject_among_them_is_read_and_said(tmp_path):
    rows = [PEOPLE[0], ["Group A", None, None], PEOPLE[1], ["Mean", 61, None], *PEOPLE[2:]]
    table = read_table(book(tmp_path, Data=rows))
    assert table["subject_id"].tolist() == ["Group A", "007", "Mean", "008", "010"]
    assert said(table) == (
        "read as subjects, although called like totals or without any value: row 2 ('Group A'), "
        "row 4 ('Mean'); delete them if they are none"
    )


def test_a_name_in_two_lines_is_one_name(tmp_path):
    table = read_table(book(tmp_path, Data=[["Patient\nID", "Age\n(years)"], ["S1", 61]]))
    assert list(table) == ["Patient ID", "Age (years)"]


def test_a_sheet_with_a_header_alone_is_no_rival(tmp_path):
    assert is_people(read_table(book(tmp_path, Data=PEOPLE, Template=PEOPLE[:1])))


def test_names_in_two_rows_say_what_to_do(tmp_path):
    rows = [["Patient", "Lung function", None], [None, "FVC", "FEV1"], ["S1", 3.1, 2.0]]
    file = book(tmp_path, Data=rows)
    changed(file, lambda b: b["Data"].merge_cells("B1:C1"))
    assert "write one name above each column" in refusal(file)


def test_a_file_of_statistics_names_its_columns_itself(tmp_path):
    table = pd.DataFrame({"code": ["patient", "x"], "group": ["case", "control"]})
    pyreadstat.write_sav(table, str(tmp_path / "t.sav"))
    assert read_table(tmp_path / "t.sav").to_dict("list") == table.to_dict("list")
