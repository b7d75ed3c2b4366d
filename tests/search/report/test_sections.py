import csv
import io

from search.report.sections import Column, Figure, LeftOut, Listing, Report, Section, Table

TABLE = Table(
    "errors",
    "Errors.",
    (Column("model"), Column("MAE (years)", ".2f"), Column("images", ",d")),
    (("a, b", 6.41789, 1159), ("paper", -6.4457, None)),
)
FIGURE = Figure("curve", "A curve.", "It falls.", b"\x89PNG")


def test_a_table_shows_every_number_in_its_columns_form():
    assert TABLE.shown() == [["a, b", "6.42", "1,159"], ["paper", "−6.45", "–"]]


def test_a_table_as_csv_keeps_all_digits_and_leaves_empty_what_there_is_none_of():
    rows = list(csv.reader(io.StringIO(TABLE.to_csv().decode())))
    assert rows == [["model", "MAE (years)", "images"], ["a, b", "6.41789", "1159"], ["paper", "-6.4457", ""]]


def test_a_section_has_an_anchor_without_what_an_address_may_not_hold():
    assert Section("Is the network complex enough?", ()).anchor == "is-the-network-complex-enough"


def test_a_report_lists_its_figures_and_tables_in_order():
    other = Table("other", "", (), ())
    sections = (Section("a", (), (TABLE, FIGURE, Listing("", ""))), Section("b", (), (other,)))
    report = Report("Report", (), sections, (LeftOut("Search", "no study"),))
    assert report.tables == (TABLE, other)
    assert report.figures == (FIGURE,)


def test_errors_in_a_table_have_the_decimals_of_the_largest_of_them_and_labels_those_of_their_spread():
    columns = (
        Column("MAE", ".2f"),
        Column("bias", "+.2f"),
        Column("true", ".1f", like=0.02),
        Column("rate", ".2f", 1.0),
    )
    table = Table("t", "", columns, ((0.0474, 0.0012, 100.0123, -5.125), (0.0071, -0.0003, 100.0234, -4.0)))
    assert table.shown() == [["0.0474", "+0.0012", "100.0123", "−5.12"], ["0.0071", "−0.0003", "100.0234", "−4.00"]]
