"""The literature behind what a study used, and nothing that it did not use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from workbench.chart import all_series
from workbench.measures import MEASURES
from workbench.palette import topology_label
from workbench.papers import paper_of
from workbench.results import Results
from workbench.samples import SAMPLES
from workbench.score import METRICS
from workbench.topologies import TOPOLOGIES

STATISTICS = (
    (
        "Intervals of means and of paired differences",
        'Student (1908), "The probable error of a mean", Biometrika 6.',
    ),
    (
        "Exact sign-flip test",
        'Pitman (1937), "Significance tests which may be applied to samples from any'
        ' populations", Supplement to the Journal of the Royal Statistical Society 4.',
    ),
    (
        "Adjustment for several contrasts",
        'Holm (1979), "A simple sequentially rejective multiple test procedure",'
        " Scandinavian Journal of Statistics 6.",
    ),
)
INFLUENCE = (
    (
        "Influence by hop and table",
        "Xu et al. (2018), arXiv:1806.03536; by hop Liang et al. (2025),"
        " arXiv:2503.09008.",
    ),
    ("Shuffling a table", 'Breiman (2001), "Random Forests", Machine Learning 45.'),
    (
        "Over-squashing",
        "Alon and Yahav (2021), arXiv:2006.05205; Di Giovanni et al. (2023),"
        " arXiv:2302.02941.",
    ),
)
TRAINING = (
    ("Optimiser", "Kingma and Ba (2015), arXiv:1412.6980 (Adam)."),
    ("Column encoders", "Hu et al. (2024), arXiv:2404.00776 (PyTorch Frame)."),
)
LEARNERS: Mapping[str, str] = MappingProxyType(
    {
        "boosted trees": (
            "Friedman (2001), Annals of Statistics 29, over histograms as in Ke et al."
            " (2017), NeurIPS; scikit-learn, Pedregosa et al. (2011), JMLR 12."
        ),
        "linear model": (
            "Hoerl and Kennard (1970), Technometrics 12 (the penalty); scikit-learn,"
            " Pedregosa et al. (2011), JMLR 12."
        ),
    }
)
ALIGNMENT = (
    "Alignment of embeddings",
    "Schönemann (1966), Psychometrika 31 (orthogonal Procrustes).",
)


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """What was used, and where it comes from."""

    subject: str
    text: str


def citations(results: Results) -> tuple[Citation, ...]:
    """Return the sources of what a study used, each once, as the report orders them."""
    pairs = [*_of_the_arms(results), *_of_the_networks(results), *_of_the_rest(results)]
    return tuple(Citation(subject, text) for subject, text in dict.fromkeys(pairs))


def _of_the_arms(results: Results) -> Iterator[tuple[str, str]]:
    for source in dict.fromkeys(source for source, _ in results.arms):
        if source in SAMPLES:
            sample = SAMPLES[source]
            yield f"Sample {source}", f"{sample.source} ({sample.license})"
    for topology in dict.fromkeys(topology for _, topology in results.arms):
        if topology in TOPOLOGIES:
            yield topology_label(topology), TOPOLOGIES[topology].source


def _of_the_networks(results: Results) -> Iterator[tuple[str, str]]:
    everything = all_series(results)
    for model in dict.fromkeys(series.model for series in everything):
        yield f"Network {model}", paper_of("models", model)
    for remedy in dict.fromkeys(series.remedy for series in everything):
        yield f"Remedy {remedy}", paper_of("remedies", remedy)
    yield from TRAINING


def _of_the_rest(results: Results) -> Iterator[tuple[str, str]]:
    metric = METRICS[results.comparison["metric"]]
    yield f"Score: {metric.label}", metric.source
    measured = set(results.layers["measure"])
    for measure in MEASURES.values():
        if measure.name in measured:
            yield f"Measure: {measure.title}", measure.source
    used = {floor["learner"] for floor in results.comparison["baselines"]}
    yield from ((f"Floor: {name}", LEARNERS[name]) for name in LEARNERS if name in used)
    yield from STATISTICS if results.comparison["contrasts"] else STATISTICS[:1]
    yield from INFLUENCE if len(results.influence) else ()
    if len(results.projection):
        yield ALIGNMENT
