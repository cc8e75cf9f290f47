"""What the core found, as lines of text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import typer


def show_schema(document: Mapping[str, Any]) -> None:
    """Show tables, columns and keys, and the graph that they offer."""
    typer.echo(f"{document['name']} ({document['fingerprint']})")
    for table in document["tables"]:
        key = ", ".join(table["primary_key"]) or "none"
        typer.echo(f"\n{table['name']}: {table['rows']:,} rows, primary key {key}")
        for column in table["columns"]:
            typer.echo(
                f"  {column['name']:28} {column['stype']:12} {column['sql_type']}"
            )
        for link in table["foreign_keys"]:
            kind = link["evidence"]["origin"]
            typer.echo(
                f"  {', '.join(link['columns'])} -> {link['ref_table']}"
                f" ({kind}, {link['dangling']:,} dangling)"
            )
    graph = document["graph"]
    if graph is not None:
        typer.echo(f"\n{graph['sentence']} Topology: {graph['topology']}.")
        if graph["target"]:
            typer.echo(f"  --target {graph['target']} --split {graph['split']}")
    for warning in document["warnings"]:
        typer.echo(f"\nWarning: {warning}")


def show_plan(source: str, document: Mapping[str, Any]) -> None:
    """Show the size and the reach of every graph of one source."""
    typer.echo(f"\n{source}")
    for topology in document["topologies"]:
        num_nodes = sum(topology["nodes"].values())
        num_edges = sum(edge["count"] for edge in topology["edges"])
        typer.echo(f"\n  {topology['name']}: {num_nodes:,} nodes, {num_edges:,} edges")
        nearest: dict[str, int] = {}
        for column, hop in topology["hops"].items():
            if hop is not None:
                table = column.rpartition(".")[0]
                nearest[table] = min(hop, nearest.get(table, hop))
        for table, hop in sorted(nearest.items(), key=lambda pair: (pair[1], pair[0])):
            typer.echo(f"    {hop} hops  {table}")
        for table in topology["unreachable"]:
            typer.echo(f"    never   {table}")
        _show_preview(topology, document["task"]["metric"])
        for warning in topology["warnings"]:
            typer.echo(f"    Warning: {warning}")
        if "time" in topology:
            _show_time(topology["time"])
    for note in document["source"]["notes"]:
        typer.echo(f"\n  {note}")


def _show_preview(topology: Mapping[str, Any], metric: str) -> None:
    if topology.get("preview"):
        shown = ", ".join(
            f"{one['hop']}: {_short(one['score'])}" for one in topology["preview"]
        )
        typer.echo(
            "    Preview, no network trained"
            f" (hops: {metric} on validation rows)  {shown}"
        )
    if topology.get("preview_note"):
        typer.echo(f"    {topology['preview_note']}")


def _short(score: float | None) -> str:
    return "no score" if score is None else f"{score:.3f}"


def _show_time(time: Mapping[str, Any]) -> None:
    if time["unfolding"]:
        typer.echo(
            f"    Over time: {time['instances']:,} nodes and {time['messages']:,}"
            f" messages at {time['moments']:,} moments"
        )
    whole = time["future_rows_without_unfolding"]
    way = f" ({whole:,} on the whole graph, {time['way_without_unfolding']})"
    typer.echo(
        f"    Future rows reachable: {time['future_rows']}{way if whole else ''}"
    )


def show_row(topology: str, document: Mapping[str, Any]) -> None:
    """Show what one row hears in one graph, and what is kept from it."""
    typer.echo(f"\n{topology}: {document['in_words']}")
    for one in document["entering"]:
        kept = [
            f"{one[name]:,} {said}"
            for name, said in (("cut", "sampled away"), ("later", "came later, hidden"))
            if one[name]
        ]
        behind = f" ({', '.join(kept)})" if kept else ""
        typer.echo(f"  hop {one['hop']}  {one['table']}: {one['seen']:,}{behind}")


def show_comparison(document: Mapping[str, Any]) -> None:
    """Show every cell's score beside the floors, and the verdict."""
    typer.echo(f"{document['task']}, {document['metric']} on the test rows")
    for cell in document["cells"]:
        name = " ".join(
            str(cell[part]) for part in ("source", "topology", "model", "remedy")
        )
        score = _interval(cell, "mean")
        if cell.get("stopped_early"):
            score = "stopped early (halving)"
        typer.echo(f"  {name:52} depth {cell['depth']:2}  {score}")
    for floor in document["baselines"]:
        typer.echo(f"  {floor['name']:61} {_interval(floor, 'value')}")
    rows = document["leakage"]["future_rows_reachable"]
    typer.echo(f"Future rows reachable: {rows}")
    typer.echo(document["verdict"])


def _interval(found: Mapping[str, Any], name: str) -> str:
    if found[name] is None:
        return "no score"
    if found["low"] is None:
        return f"{found[name]:.3f}"
    return f"{found[name]:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def show_entry(entry: Any) -> None:  # workbench.studies.Entry
    """Show one line about a study that was run."""
    when = datetime.fromtimestamp(entry.about.created)
    best = entry.best
    score = "" if best is None else f"{best.metric} {best.mean:.3f}, {best.cell}"
    typer.echo(
        f"{entry.identifier:18} {entry.state:10} {when:%Y-%m-%d %H:%M}  {entry.title}"
        + (f" ({score})" if score else "")
        + (f" [{', '.join(entry.about.tags)}]" if entry.about.tags else "")
    )
