"""A workbench that shows what the choice of graph does to a graph neural network."""

__version__ = "0.1.0"
