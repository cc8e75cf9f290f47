"""DropEdge: every training pass sees a graph with some links left out."""

from workbench.member import Remedy

DROPEDGE = Remedy(
    name="dropedge",
    title="DropEdge",
    drop_links=0.2,
    formula=(
        "A' = A without each link with probability 0.2, drawn anew for every training"
        " pass, the same for all layers and for both directions of a link"
    ),
    source=(
        "Rong et al. (2020), arXiv:1907.10903, Eq. 1; differs in: links are dropped per"
        " relation; sums are not scaled up, and networks that divide by degrees keep"
        " those of the whole graph."
    ),
)
