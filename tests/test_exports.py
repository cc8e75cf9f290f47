"""Graphs in the formats of others, read back as their own programs would."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import networkx as nx
import pyarrow.parquet as pq
import pytest

from tests.test_cli import call
from tests.tiny import make_task, open_tiny
from workbench.errors import DatabaseError, StoreError
from workbench.export import safe_names
from workbench.exports import EXPORTS, graphml, write_export, zip_export
from workbench.handover import Graphed, Handover
from workbench.topologies import plan_named

# Names and values that break out of CSV, XML, Cypher, shells and folders.
ODD = 'a/../`b`\'; "c" <d> & ü'
BELL = 'ring\a, "quoted"\n\'; DROP'
SQL = """
CREATE TABLE "a/../`b`'; ""c"" <d> & ü" (
  id INTEGER PRIMARY KEY, "x:y`z" REAL, kind TEXT, good INTEGER
);
CREATE TABLE visit (id INTEGER PRIMARY KEY, odd INTEGER REFERENCES
  "a/../`b`'; ""c"" <d> & ü" (id), place INTEGER REFERENCES place (id), note TEXT);
CREATE TABLE place (id INTEGER PRIMARY KEY, size REAL);
INSERT INTO "a/../`b`'; ""c"" <d> & ü" VALUES
  (10, 1.5, 'ring' || char(7) || ', "quoted"' || char(10) || '''; DROP', 0),
  (11, NULL, 'b', 1), (12, 2.5, NULL, 0), (13, 0.5, 'b', 1);
INSERT INTO place VALUES (1, 3.0), (2, NULL);
INSERT INTO visit VALUES
  (1, 10, 1, 'x'), (2, 10, 2, 'y'), (3, 12, 1, 'x'), (4, NULL, 2, NULL),
  (5, 13, 9, 'z');
"""
STYPES = {
    f"{ODD}.x:y`z": "numerical",
    f"{ODD}.kind": "categorical",
    f"{ODD}.good": "boolean",
    "visit.note": "free-text",
    "place.size": "numerical",
}
SAFE = "a_b_c_d"
GRAPHS = [name for name, one in EXPORTS.items() if one.needs == "graph"]


def handed(folder: Path, topology: str = "row2node") -> Handover:
    database, schema = open_tiny(folder, SQL, STYPES)
    task = make_task(f"{ODD}.good", range(4))
    with database:
        blueprint = plan_named(schema, task.spec, topology)
        return Handover("tiny", database.path, schema, Graphed(task, blueprint))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Handover:
    return handed(tmp_path_factory.mktemp("tiny"))


def test_names_become_safe_and_stay_apart() -> None:
    found = safe_names([ODD, "A/B C D", "1st", "", "...", "visit", "Visit"])
    assert list(found.values()) == [
        *(SAFE, "A_B_C_D_2", "_1st", "unnamed", "unnamed_2", "visit", "Visit_2"),
    ]
    assert re.fullmatch(r"\w{1,60}", safe_names(["x" * 300])["x" * 300])


@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_is_written_outside_the_folder(name, tiny, tmp_path) -> None:
    first = write_export(name, tiny, tmp_path / "one" / "out")
    assert first.is_file()
    assert [one.name for one in tmp_path.iterdir()] == ["one"]
    assert [one.name for one in (tmp_path / "one").iterdir()] == ["out"]
    for path in (tmp_path / "one" / "out").rglob("*"):
        assert re.fullmatch(r"[\w.]+", path.name), path


def test_a_name_that_cannot_be_a_file_is_refused_for_relbench(tiny, tmp_path) -> None:
    with pytest.raises(DatabaseError, match="cannot be a file of that name"):
        write_export("relbench", tiny, tmp_path / "out")


def test_graphstorm_finds_files_keys_features_labels_and_split(tiny, tmp_path) -> None:
    config = json.loads(write_export("graphstorm", tiny, tmp_path).read_text())
    scaled, coded = {"name": "max_min_norm"}, {"name": "to_categorical"}
    assert config == {
        "version": "gconstruct-v0.1",
        "nodes": [
            {
                "node_type": SAFE,
                "format": {"name": "parquet"},
                "files": [f"node_{SAFE}.parquet"],
                "node_id_col": "node_id",
                "features": [
                    {
                        "feature_col": "x_y_z_feature",
                        "feature_name": "x_y_z_feature",
                        "transform": scaled,
                    },
                    {
                        "feature_col": "kind_feature",
                        "feature_name": "kind_feature",
                        "transform": coded,
                    },
                ],
                "labels": [
                    {
                        "label_col": "label",
                        "task_type": "classification",
                        "custom_split_filenames": {
                            "column": ["node_id"],
                            "train": "split_train.parquet",
                            "valid": "split_valid.parquet",
                            "test": "split_test.parquet",
                        },
                    }
                ],
            },
            {
                "node_type": "place",
                "format": {"name": "parquet"},
                "files": ["node_place.parquet"],
                "node_id_col": "node_id",
                # One size is 3 and the other, unknown, becomes the mean: no range.
            },
            {
                "node_type": "visit",  # its notes are text, and so no feature
                "format": {"name": "parquet"},
                "files": ["node_visit.parquet"],
                "node_id_col": "node_id",
            },
        ],
        "edges": [
            {
                "relation": ["visit", f"visit_odd_{SAFE}", SAFE],
                "format": {"name": "parquet"},
                "files": [f"edge_visit_odd_{SAFE}.parquet"],
                "source_id_col": "source_id",
                "dest_id_col": "dest_id",
            },
            {
                "relation": ["visit", "visit_place_place", "place"],
                "format": {"name": "parquet"},
                "files": ["edge_visit_place_place.parquet"],
                "source_id_col": "source_id",
                "dest_id_col": "dest_id",
            },
        ],
    }
    nodes = pq.read_table(tmp_path / f"node_{SAFE}.parquet").to_pydict()
    # Node 1 has no number: it gets the mean of 1.5, 2.5 and 0.5.
    assert nodes["x_y_z_feature"] == [1.5, 1.5, 2.5, 0.5]
    assert nodes["kind_feature"] == [BELL, "b", "", "b"]
    assert nodes["label"] == ["0", "1", "0", "1"]
    links = pq.read_table(tmp_path / "edge_visit_place_place.parquet").to_pydict()
    # Visits 0 to 3 are at places 0, 1, 0, 1; the fifth is nowhere.
    assert links == {"source_id": [0, 1, 2, 3], "dest_id": [0, 1, 0, 1]}
    split = {
        side: pq.read_table(tmp_path / f"split_{side}.parquet")["node_id"].to_pylist()
        for side in ("train", "valid", "test")
    }
    assert split == {"train": [0, 3], "valid": [1], "test": [2]}


def test_gephi_gets_every_node_and_link(tiny, tmp_path) -> None:
    graph = nx.read_graphml(write_export("graphml", tiny, tmp_path))
    assert graph.number_of_nodes() == 4 + 2 + 5
    assert graph.number_of_edges() == 3 + 1 + 4  # two visits point at nobody
    first = graph.nodes[f"{SAFE}:0"]
    assert first["type"] == ODD
    assert first[f"{SAFE}.x_y_z"] == 1.5
    assert first[f"{SAFE}.kind"] == BELL.replace("\a", "\ufffd")
    assert (first["label_of_task"], first["side"]) == ("0", "train")
    assert f"{SAFE}.x_y_z" not in graph.nodes[f"{SAFE}:1"]
    assert graph.has_edge("visit:2", f"{SAFE}:2")
    assert not (tmp_path / "left_out.txt").exists()


def test_gephi_is_told_what_was_left_out(tiny, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(graphml, "MOST_NODES", 6)
    graph = nx.read_graphml(write_export("graphml", tiny, tmp_path))
    # 6 of 11: of 4, 2 and 5 nodes the first 2, 1 and 2; links between them alone.
    assert graph.number_of_nodes() == 5
    note = (tmp_path / "left_out.txt").read_text()
    assert note.startswith("6 of 11 nodes and ")
    assert f"{8 - graph.number_of_edges()} of 8 links were left out" in note


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_neo4j_gets_the_same_links(tiny, tmp_path) -> None:
    write_export("neo4j", tiny, tmp_path)
    nodes = read_csv(tmp_path / f"node_{SAFE}.csv")
    assert [one[f"id:ID({SAFE})"] for one in nodes] == ["0", "1", "2", "3"]
    assert [one["x_y_z:double"] for one in nodes] == ["1.5", "", "2.5", "0.5"]
    assert nodes[0]["kind:string"] == BELL
    assert {one[":LABEL"] for one in nodes} == {SAFE}
    visits = {one["id:ID(visit)"] for one in read_csv(tmp_path / "node_visit.csv")}
    links = read_csv(tmp_path / f"edge_visit_odd_{SAFE}.csv")
    found = [
        (one[":START_ID(visit)"], one[f":END_ID({SAFE})"])
        for one in links
        if one[":START_ID(visit)"] in visits
    ]
    # Visits 10, 10, 12, nobody and 13, by their nodes.
    assert found == [("0", "0"), ("1", "0"), ("2", "2"), ("4", "3")]
    command = (tmp_path / "import.sh").read_text()
    named = re.findall(r"--(?:nodes|relationships)=(\S+)", command)
    assert sorted(named) == sorted(one.name for one in tmp_path.glob("*.csv"))


def test_cypher_names_columns_that_the_files_have(tiny, tmp_path) -> None:
    script = write_export("neo4j", tiny, tmp_path).read_text()
    loads = [one for one in script.split(";\n") if "LOAD CSV" in one]
    assert len(loads) == 3 + 2
    for one in loads:
        (file,) = re.findall(r"file:///([\w.]+)", one)
        with (tmp_path / file).open(encoding="utf-8", newline="") as opened:
            head = next(csv.reader(opened))
        assert set(re.findall(r"row\.`([^`]+)`", one)) <= set(head)
    assert "DROP" not in script


def test_a_long_list_of_columns_on_links_goes_along(tmp_path) -> None:
    (tmp_path / "made").mkdir()
    handover = handed(tmp_path / "made", "row2edge")
    config = json.loads(
        write_export("graphstorm", handover, tmp_path / "out").read_text()
    )
    (edge,) = config["edges"]
    table = pq.read_table(tmp_path / "out" / edge["files"][0]).to_pydict()
    assert table["note_feature"] == ["x", "y", "x"]


def test_a_zip_is_the_same_every_time(tiny) -> None:
    first = zip_export("neo4j", tiny)
    assert first == zip_export("neo4j", tiny)
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert "load.cypher" in archive.namelist()


def test_an_unknown_format_and_a_full_folder_are_refused(tiny, tmp_path) -> None:
    with pytest.raises(StoreError, match='did you mean "graphml"'):
        write_export("graphm", tiny, tmp_path / "out")
    (tmp_path / "there").write_text("")
    with pytest.raises(StoreError, match="is not empty"):
        write_export("graphml", tiny, tmp_path)
    with pytest.raises(StoreError, match="cannot be written to"):
        write_export("graphml", tiny, tmp_path / "there")


def test_the_command_line_hands_over(tmp_path) -> None:
    source = ("sample:address-flat", "--out", tmp_path / "out")
    done = call("export", *source, "--format", "neo4j", "--task", "prosperous")
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).is_file()
    for arguments, told in (
        (["--format", "gexf"], 'There is no format "gexf"'),
        (["--format", "pyg"], "name the folder of a finished"),
        (["--format", "graphml"], "say what is predicted"),
        (["--task", "a", "--target", "b.c"], "not both"),
        (["--depth", "3"], "what a study has trained"),
    ):
        done = call("export", source[0], "--out", tmp_path / "new", *arguments)
        assert done.returncode == 2
        assert told in done.stderr
        assert not (tmp_path / "new").exists()
