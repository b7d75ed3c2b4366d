from model.network.layers import Conv2D, Dense, Flatten
from model.network.network import Network
from model.network.paper import paper_network
from model.network.summary import summary
from model.results.quantity import Quantity
from model.training.recipe import STRONG
from search.report.network_sections import network_section


def test_the_papers_network_has_as_many_parameters_as_the_paper_says():
    section = network_section(paper_network(), Quantity("years"))
    said = "1,431,905 parameters (as many as the paper's), 1,429,217 of them trained; 2,688 are moving averages."
    assert section.text == (said,)
    figure, listing = section.parts
    assert figure.picture.startswith(b"\x89PNG")
    assert listing.text == summary(paper_network())


def test_the_fixed_values_of_an_expectation_are_no_moving_averages():
    (said,) = network_section(STRONG.network(), Quantity("years")).text
    assert said.endswith("2,432 are moving averages, 92 the values of the expectation.")


def test_another_network_is_told_from_the_papers():
    network = Network((Conv2D(2), Flatten(), Dense(1)), (5, 5, 1))
    (said,) = network_section(network, Quantity("years")).text
    assert said.startswith("39 parameters (the paper's has 1,431,905), 39 of them trained")
    (said,) = network_section(network, Quantity("mm")).text
    assert said.startswith("39 parameters, 39 of them trained")
