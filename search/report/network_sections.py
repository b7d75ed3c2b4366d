"""The network in the report: its drawing (Figure 4), and its summary as the paper's appendix prints it."""

import math

from model.figures.network_figure import draw_network
from model.network.network import Network
from model.network.summary import summary
from model.results.quantity import Quantity
from search.report.paper import PARAMETERS
from search.report.sections import Figure, Listing, Section


def network_section(network: Network, quantity: Quantity) -> Section:
    """Draw and list a network, and tell it from the paper's if it predicts ages."""
    count, trained = network.parameters, network.trainable_parameters
    same = "as many as the paper's" if count == PARAMETERS else f"the paper's has {PARAMETERS:,}"
    beside = f" ({same})" if quantity.is_age else ""
    averages = sum(math.prod(spec.shape) for spec in network.weights if spec.role.startswith("moving"))
    fixed = count - trained - averages
    values = f", {fixed:,} the values of the expectation" if fixed else ""
    text = f"{count:,} parameters{beside}, {trained:,} of them trained; {averages:,} are moving averages{values}."
    figure = Figure(
        "figure-4-network",
        "Figure 4. The network from left to right. Below each layer: its kernel or pool, the shape it puts out. Sides "
        "are drawn by the square root of what they stand for.",
        f"A drawing of the {len(network.layers)} layers of the network.",
        draw_network(network),
    )
    return Section("Network", (text,), (figure, Listing("Appendix. The network, layer by layer.", summary(network))))
