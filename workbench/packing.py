"""Features as named arrays and back, so that they can be kept and mapped."""

import torch
from torch import Tensor

from workbench.depot import Arrays
from workbench.features import Features
from workbench.sparse import SparseBlock


def pack(features: Features) -> Arrays:
    """Return features as arrays that share their memory."""
    tensors = {"numerical": features.numerical, "codes": features.codes}
    if features.sparse is not None:
        tensors["pointers"] = features.sparse.pointers
        tensors["channels"] = features.sparse.channels
        tensors["values"] = features.sparse.values
    return Arrays(
        arrays={name: one.numpy() for name, one in tensors.items()},
        facts={
            "num_rows": features.num_rows,
            "numerical_names": features.numerical_names,
            "code_names": features.code_names,
            "cardinalities": features.cardinalities,
            "sparse_names": features.sparse and features.sparse.names,
        },
    )


def unpack(packed: Arrays) -> Features:
    """Return the features of `pack`, which share the memory of the arrays."""
    facts = packed.facts
    tensors: dict[str, Tensor] = {
        name: torch.from_numpy(one) for name, one in packed.arrays.items()
    }
    sparse = None
    if facts["sparse_names"] is not None:
        sparse = SparseBlock(
            pointers=tensors["pointers"],
            channels=tensors["channels"],
            values=tensors["values"],
            names=tuple(facts["sparse_names"]),
        )
    return Features(
        num_rows=facts["num_rows"],
        numerical=tensors["numerical"],
        numerical_names=tuple(facts["numerical_names"]),
        codes=tensors["codes"],
        code_names=tuple(facts["code_names"]),
        cardinalities=tuple(facts["cardinalities"]),
        sparse=sparse,
    )


def is_packed(packed: Arrays) -> bool:
    """Return whether arrays that were read are features, each index within its bounds.

    Networks look codes up without a check, so that a file that lies must not pass.
    """
    found = unpack(packed)
    num_codes = found.codes.new_tensor(found.cardinalities)
    return (
        found.numerical.shape == (found.num_rows, len(found.numerical_names))
        and found.codes.shape == (found.num_rows, len(found.code_names))
        and bool((found.codes >= 0).all() and (found.codes < num_codes).all())
        and (found.sparse is None or _is_sparse(found.sparse, found.num_rows))
    )


def _is_sparse(block: SparseBlock, num_rows: int) -> bool:
    ends, channels = block.pointers, block.channels
    return (
        len(ends) == num_rows + 1
        and int(ends[0]) == 0
        and bool((ends.diff() >= 0).all())
        and len(channels) == len(block.values) == int(ends[-1])
        and bool((channels >= 0).all() and (channels < len(block.names)).all())
    )
