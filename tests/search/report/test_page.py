import base64
import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from search.report.page import page
from search.report.sections import Column, Figure, LeftOut, Listing, Report, Section, Table


def picture(width=320):
    stream = io.BytesIO()
    Image.new("RGB", (width, 100)).save(stream, "png")
    return stream.getvalue()


def table(name="errors", folded=False):
    rows = (("runs/fit", 5.5), ("paper: 600 epochs", 6.4457), ("runs/paper", 6.5), ("paper, 5 epochs", 9.0))
    return Table(name, f"The table {name}.", (Column("model"), Column("MAE (years)", ".2f")), rows, folded)


class Tags(HTMLParser):
    """Every tag with its attributes, and a list of those still open."""

    EMPTY = ("meta", "link", "img")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def shown():
    figure = Figure("curve", "A curve.", 'It "falls".', picture())
    parts = (table(), figure, table("all", folded=True), Listing("The network.", "conv  320\ndense  65"))
    section = Section("Result & more", ("Better than <b>before</b>.",), parts)
    return page(Report("Ages: the report", (("made", "today"),), (section,), (LeftOut("Search", "no study storage"),)))


def test_every_tag_is_closed_where_it_should_be(shown):
    assert Tags(shown).open == []


def test_what_comes_from_outside_is_text_and_no_markup(shown):
    assert "Better than &lt;b&gt;before&lt;/b&gt;." in shown
    assert "Result &amp; more" in shown


def test_a_picture_is_within_the_page_as_large_as_it_was_drawn(shown):
    (image,) = (attributes for tag, attributes in Tags(shown).tags if tag == "img")
    kind, _, content = image["src"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == picture()
    # 320 dots at 160 an inch are two inches: 192 of the browser's pixels.
    assert (image["width"], image["alt"]) == ("192", 'It "falls".')


def test_nothing_is_asked_of_any_network(shown):
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", shown)
    assert not re.search(r"https?:|@import|url\(", shown)
    policy = next(one["content"] for tag, one in Tags(shown).tags if one.get("http-equiv"))
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "<script" not in shown


def test_the_papers_rows_look_different_and_no_others(shown):
    rows = re.findall(r"<tr( class=\"paper\")?>\s*<td[^>]*>([^<]*)", shown)
    assert {(bool(paper), name) for paper, name in rows} == {
        (False, "runs/fit"),
        (True, "paper: 600 epochs"),
        (False, "runs/paper"),
        (False, "paper, 5 epochs"),
    }


def test_a_folded_table_is_opened_by_its_caption(shown):
    assert re.search(r"<details><summary>The table all\.", shown)
    assert shown.count("<details>") == 1


def test_every_section_is_reached_from_the_top(shown):
    anchors = re.findall(r'href="#([^"]+)"', shown)
    assert anchors == ["result-more", "left-out"]
    assert all(f'<section id="{anchor}">' in shown for anchor in anchors)


def test_what_was_left_out_is_said_with_its_reason(shown):
    assert "<li><b>Search</b> – no study storage.</li>" in shown


def test_a_report_of_everything_says_nothing_of_left_out():
    assert "Left out" not in page(Report("Report", (), (Section("Result", ()),), ()))
