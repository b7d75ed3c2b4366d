"""`agesearch data`: build, verify, describe and time dataset files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import AsJson, may_force, takes_group
from search.cli.printing import answer, answer_json, progress_bar, remark

if TYPE_CHECKING:
    from data.options import BuildOptions

app = typer.Typer(name="data", help="Build, verify, describe and time dataset files.", no_args_is_help=True)

Source = Annotated[
    str,
    typer.Argument(
        help="A folder, .zip or .tar(.gz) of images that their names or folders label; a .csv of path,value[,split]; "
        "or 'synthetic'."
    ),
]
DatasetFile = Annotated[Path, typer.Argument(help="A dataset file (.h5).")]


@dataclass(frozen=True, slots=True)
class BuildFlags:
    """How a dataset is built, as it is typed."""

    size: Annotated[
        str, typer.Option(help="Height and width of the stored images, in pixels: one number, or as in 48x64.")
    ] = "91"
    channels: Annotated[int, typer.Option(help="1 for gray images, 3 for colour.")] = 1
    unit: Annotated[
        str | None, typer.Option(help="Unit of the labels, as shown in results. Default: years, of a .csv none.")
    ] = None
    ages: Annotated[str, typer.Option(help="Youngest and oldest age, both included, as in 1:80.")] = "1:80"
    seed: Annotated[int, typer.Option(help="Divides crops into splits, and draws synthetic faces.")] = 0
    images: Annotated[str, typer.Option(help="Synthetic images of the three splits, as in 5400,2315,1159.")] = (
        "5400,2315,1159"
    )
    columns: Annotated[
        str, typer.Option(help="What a .csv calls its columns path, value and split, as in file=path,age=value.")
    ] = ""
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Read what links lead to, outside the folder as well.")
    ] = False
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be used, and list it.")] = False

    def options(self, source: str) -> "BuildOptions":
        """Return what they say; raises DatasetError for what is of another form."""
        from data.options import YEARS, BuildOptions

        youngest, oldest = _numbers("--ages", self.ages, ":", "1:80")
        training, validation, test = _numbers("--images", self.images, ",", "5400,2315,1159")
        sides = _numbers("--size", self.size, "x", "91", "48x64")
        usual = "" if source.lower().endswith(".csv") else YEARS
        return BuildOptions(
            image_size=(sides[0], sides[-1]),
            min_age=youngest,
            max_age=oldest,
            seed=self.seed,
            skip_bad=self.skip_bad,
            sizes=(training, validation, test),
            channels=self.channels,
            unit=usual if self.unit is None else self.unit,
            columns=_columns(self.columns),
            follow_links=self.follow_links,
        )


def _columns(typed: str) -> tuple[str, str, str]:
    """Return a table's names for path, value and split; raises DatasetError where they are not of the flag's form."""
    from data.errors import DatasetError
    from data.options import COLUMNS

    pairs = [pair.rpartition("=") for pair in typed.split(",")] if typed else []
    called = {ours.strip(): theirs.strip() for theirs, _, ours in pairs}
    if len(called) < len(pairs) or not set(called) <= set(COLUMNS) or not all(called.values()):
        raise DatasetError(f"--columns {typed} is not of the form file=path,age=value,set=split")
    path, value, split = (called.get(ours, ours) for ours in COLUMNS)
    return path, value, split


def _numbers(flag: str, typed: str, between: str, *forms: str) -> tuple[int, ...]:
    """Return the whole numbers that a flag is given; raises DatasetError where they are not as many as in its forms."""
    from data.errors import DatasetError

    try:
        numbers = tuple(map(int, typed.lower().split(between)))
    except ValueError:
        numbers = ()
    if len(numbers) not in {form.count(between) + 1 for form in forms}:
        raise DatasetError(f"{flag} {typed} is not of the form {' or '.join(forms)}")
    return numbers


@app.command()
@may_force
@takes_group
def build(
    source: Source,
    out: Annotated[Path, typer.Option(help="The dataset file to write.")],
    how: BuildFlags,
    as_json: AsJson = False,
) -> None:
    """Build a dataset file from images that are named by label or listed in a table, or from synthetic faces."""
    from data.build import build_dataset
    from search.counting import counted

    options = how.options(source)
    with _rejected_by_line(), progress_bar("reading images") as progress:
        report = build_dataset(source, out, options, progress)
    _remark_constant(report.path)
    if report.contradicting:
        groups = f"{counted(report.contradicting, 'group')} of byte-identical images"
        remark(f"warning: {groups} with different labels, such as {report.contradiction}")
    if as_json:
        answer_json(report.as_dict())
        return
    for one in report.rejected:
        answer(f"left out {one}")
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    answer(f"{report.path}: {counts}; {report.layout}, {'×'.join(map(str, report.image_shape))}")
    if report.duplicates:
        shared = f", {report.shared} of them in more than one split, as the source has them" if report.shared else ""
        answer(f"{counted(report.duplicates, 'group')} of byte-identical images{shared}")
    answer(f"digest {report.digest}")


@contextmanager
def _rejected_by_line() -> Iterator[None]:
    """Print rejected files line by line, above the sentence that counts them; one alone is told within it."""
    from data.errors import LISTED, DatasetError, RejectedFilesError

    try:
        yield
    except RejectedFilesError as error:
        if len(error.rejected) == 1:
            raise
        for one in error.rejected[:LISTED]:
            remark(str(one))
        if len(error.rejected) > LISTED:
            remark(f"and {len(error.rejected) - LISTED} more")
        raise DatasetError(error.summary) from error


def _remark_constant(dataset: Path) -> None:
    from data.statistics import dataset_statistics

    if dataset_statistics(dataset).splits["training"].sd == 0:
        remark("the labels of the training images are all the same, so there is nothing to learn from them")


@app.command()
@may_force
def stats(
    dataset: DatasetFile,
    figure: Annotated[Path | None, typer.Option(help="Write the label histograms (Figure 1) to this PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the label statistics (the paper's Table I), and draw Figure 1."""
    from data.statistics import dataset_statistics, format_statistics

    statistics = dataset_statistics(dataset)
    if figure:
        from data.statistics import draw_dataset_histograms
        from model.results.quantity import Quantity

        quantity = Quantity(statistics.unit)
        draw_dataset_histograms(dataset, figure, quantity.label(quantity.noun))
    if as_json:
        answer_json(statistics)
        return
    answer(format_statistics(statistics))
    if figure:
        answer(f"histograms: {figure}")


@app.command()
def verify(dataset: DatasetFile, source: Source, as_json: AsJson = False) -> None:
    """Decode every image again and compare every pixel; exits 1 where anything differs."""
    from data.verify import verify_dataset
    from search.counting import counted

    with progress_bar("comparing images") as progress:
        report = verify_dataset(dataset, source, progress=progress)
    if as_json:
        answer_json(report.as_dict())
    else:
        for difference in report.differences:
            answer(difference)
        if report.count > len(report.differences):
            answer(f"and {report.count - len(report.differences)} more")
        if not report.source_matches:
            answer(f"{source} is not, file for file, what {dataset} was built from")
        answer(f"{counted(report.images, 'image')} compared, {counted(report.count, 'difference')}")
    if not report.lossless:
        raise typer.Exit(1)


@app.command()
def bench(
    dataset: DatasetFile,
    source: Annotated[str, typer.Argument(help="The folder, archive or .csv that it was built from, which you trust.")],
    as_json: AsJson = False,
) -> None:
    """Time loading the images one by one, as a script would, against loading the dataset file."""
    from data.benchmark import PAPER_SECONDS, time_loading

    with progress_bar("loading") as progress:
        times = time_loading(dataset, source, progress=progress)
    if as_json:
        answer_json(times)
        return
    answer(f"{times.images} images, median of {times.repeats} pairs")
    answer(f"one by one  {times.file_seconds:8.3f} s   (the paper: {PAPER_SECONDS[0]} s)")
    answer(f"dataset     {times.hdf5_seconds:8.3f} s   (the paper: {PAPER_SECONDS[1]} s)")
    answer(f"ratio       {times.ratio:8.1f}     (the paper: {PAPER_SECONDS[0] / PAPER_SECONDS[1]:.1f})")
