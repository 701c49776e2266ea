from __future__ import annotations

import json
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.files import ENDINGS, has_layers, read_adjacency, read_graph
from smallworld_eqprop.graphs.convert.io import save_graph
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

FILES = Path(__file__).parents[1] / "files"
ROLES = {"inputs": "role=sensory", "outputs": "role=motor"}
TABLE = {"areas.csv": {"roles": FILES / "areas_roles.csv"}}
AREAS = ["areas.graphml", "areas.gml", "areas.net", "areas.csv"]


def areas(name, **changes):
    return read_graph(FILES / name, **{**ROLES, **TABLE.get(name, {}), **changes})


@pytest.mark.parametrize("name", AREAS)
def test_one_graph_in_every_form(name):
    g = areas(name)
    table = nx.read_weighted_edgelist(FILES / "areas.csv", delimiter=",", comments="source")
    assert g == areas("areas.graphml")
    assert g.labels[:6] == tuple(f"n{i}" for i in range(6))
    assert g.labels[-4:] == ("n20", "n21", "n22", "n23")
    weights = {
        frozenset((g.labels[u], g.labels[v])): w
        for (u, v), w in zip(g.edges.tolist(), g.edge_data["weight"].tolist(), strict=True)
    }
    clamped = set(g.labels[:6])
    expected = {
        frozenset((u, v)): w for u, v, w in table.edges(data="weight") if not {u, v} <= clamped
    }
    assert weights == expected
    assert g.node_data["role"].tolist() == ["sensory"] * 6 + ["inter"] * 14 + ["motor"] * 4
    step = g.provenance[-1]
    assert (step["step"], step["file"], step["input_edges_left_out"]) == ("read_graph", name, 7)
    if name != "areas.csv":
        assert g.node_data["position"][:3].tolist() == [[0, 0], [1, 0], [2, 0]]


@pytest.mark.parametrize("name", AREAS)
def test_inputs_by_name_in_any_order(name):
    g = areas(name, inputs=["n3", "n1"], outputs="n23")
    assert g.labels[:2] == ("n3", "n1")
    assert g.labels[-1] == "n23"


def test_a_directed_graph_says_how_it_was_made_undirected():
    g = read_graph(FILES / "directed.graphml", [0, 5], 14)
    source = nx.read_graphml(FILES / "directed.graphml")
    step = g.provenance[-1]
    assert step["self_loops_left_out"] == step["zero_weights_left_out"] == 1
    assert step["directed_edges"] == source.number_of_edges() - 2
    assert step["symmetrised"] == "max"
    names = [str(i) for i in (range(g.n_nodes) if g.labels is None else g.labels)]
    for (u, v), weight in zip(g.edges.tolist(), g.edge_data["weight"].tolist(), strict=True):
        both = [
            source.edges[pair]["weight"]
            for pair in ((names[u], names[v]), (names[v], names[u]))
            if source.has_edge(*pair)
        ]
        assert weight == max(both)
    pairs = {frozenset(pair) for pair in source.edges if len(set(pair)) == 2}
    assert step["reciprocal_pairs_merged"] == step["directed_edges"] - len(pairs)


def test_a_signed_matrix_keeps_its_signs():
    g = read_graph(FILES / "signed.csv", ["r0"], ["r11", "r9"])
    matrix = np.loadtxt(FILES / "signed.csv", delimiter=",", skiprows=1)
    places = [int(label[1:]) for label in g.labels]
    assert np.array_equal(g.adjacency("weight").toarray(), matrix[np.ix_(places, places)])
    assert (g.edge_data["weight"] < 0).sum() == 10


def test_layers_as_igraph_writes_them():
    g = read_graph(FILES / "layers_by_igraph.graphml")
    assert g.layer_sizes == (6, 5, 4, 3)
    assert (g.n_edges, g.labels) == (62, None)


MADE = rewire(add_intralayer(layered((4, 3, 3, 2))), 0.3, seed=1)


@pytest.mark.parametrize("ending", [".npz", ".graphml"])
def test_our_own_files(tmp_path, ending):
    path = tmp_path / f"graph{ending}"
    save_graph(MADE, path)
    g = read_graph(path)
    assert (g, g.provenance) == (MADE, MADE.provenance)
    other = read_graph(path, [11], [0])
    assert other.labels[0] == 11
    assert has_layers(path)
    assert read_adjacency(path)[0].nnz == 2 * MADE.n_edges


def test_what_others_write_of_our_graphs(tmp_path):
    nx.write_graphml(MADE.to_networkx(), tmp_path / "networkx.graphml")
    nx.write_gml(MADE.to_networkx(), tmp_path / "networkx.gml")
    MADE.to_igraph().write_graphml(str(tmp_path / "igraph.graphml"))
    for path in tmp_path.iterdir():
        g = read_graph(path)
        assert (g, g.labels) == (MADE, None)
        assert g.provenance[: len(MADE.provenance)] == MADE.provenance


def test_names_that_igraph_writes(tmp_path):
    graph = igraph.Graph.Ring(4)
    graph.vs["name"] = ["AVAL", "AVAR", "PVCL", "PVCR"]
    graph.es["weight"] = [1.0, 2.0, 3.0, 4.0]
    graph.write_graphml(str(tmp_path / "named.graphml"))
    g = read_graph(tmp_path / "named.graphml", "AVAL", "PVCL")
    assert g.labels == ("AVAL", "AVAR", "PVCR", "PVCL")
    assert "name" not in g.node_data


def test_scipy_matrices(tmp_path):
    matrix = sparse.random_array((20, 20), density=0.3, rng=np.random.default_rng(0))
    sparse.save_npz(tmp_path / "directed.npz", matrix.tocsr())
    g = read_graph(tmp_path / "directed.npz", 0, 19)
    assert g.provenance[-1]["symmetrised"] == "max"
    both = np.maximum(matrix.toarray(), matrix.toarray().T)
    np.fill_diagonal(both, 0)
    assert np.array_equal(read_adjacency(tmp_path / "directed.npz")[0].toarray(), both)
    sparse.save_npz(tmp_path / "plain.npz", MADE.adjacency())
    plain = read_graph(tmp_path / "plain.npz", range(4), [10, 11])
    assert plain.n_nodes == 12
    assert not plain.edge_data


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


TABLES = {
    "names with blanks": "source,target,weight\na b,c,1\nc,d,2.5\n",
    "semicolons": "Source;Target;Type;Weight\na b;c;Undirected;1\nc;d;Undirected;2.5\n",
    "tabs": "weight\tsource\ttarget\n1\ta b\tc\n2.5\tc\td\n",
    "labelled matrix": ",a b,c,d\na b,0,1,\nc,1,0,2.5\nd,,2.5,0\n",
    "rows in another order": "x,a b,c,d\nd,0,2.5,0\na b,0,1,0\nc,1,0,2.5\n",
    "matrix with a header": "a b,c,d\n0,1,0\n1,0,2.5\n0,2.5,0\n",
    "one side": "a b,c,d\n0,1,0\n0,0,2.5\n0,0,0\n",
    "from and to": "from,to,weight\na b,c,1\nc,d,2.5\n",
    "byte order mark": "\ufeffsource,target,weight\na b,c,1\nc,d,2.5\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(tmp_path, name):
    g = read_graph(written(tmp_path, "graph.csv", TABLES[name]), "a b", "d")
    assert g.labels == ("a b", "c", "d")
    assert g.edges.tolist() == [[0, 1], [1, 2]]
    assert g.edge_data["weight"].tolist() == [1, 2.5]


def test_more_columns_are_data(tmp_path):
    text = "source,target,weight,sign,trainable,tract\n0,2,1,1,true,x\n2,10,,-1,FALSE,y\n"
    g = read_graph(written(tmp_path, "graph.csv", text), 0, "10")
    assert g.labels == (0, 2, 10)
    assert g.edge_data["sign"].tolist() == [1, -1]
    assert g.edge_data["trainable"].tolist() == [True, False]
    assert g.edge_data["tract"].tolist() == ["x", "y"]
    assert g.edge_data["weight"][0] == 1
    assert np.isnan(g.edge_data["weight"][1])


def test_matrices_without_labels_have_numbers(tmp_path):
    path = written(tmp_path, "graph.csv", "0,1,0\n1,0,1\n0,1,0\n")
    assert read_graph(path, 0, 2).labels is None
    assert read_graph(path, [1], [0]).labels == (1, 2, 0)


def test_gephi_lists_may_be_directed(tmp_path):
    text = "Source,Target,Type,Id,Weight\n1,2,Directed,0,1\n2,1,Directed,1,3\n2,3,Directed,2,1\n"
    g = read_graph(written(tmp_path, "graph.csv", text), 1, 3)
    assert g.edge_data["weight"].tolist() == [3, 1]
    assert g.provenance[-1]["reciprocal_pairs_merged"] == 1


def test_nodes_without_edges_are_in_the_table_of_nodes(tmp_path):
    roles = written(tmp_path, "nodes.csv", "name,role,size\nb,in,3\na,out,\nc,in,5\n")
    path = written(tmp_path, "graph.csv", "source,target\na,b\n")
    g = read_graph(path, "role=in", "role=out", roles=roles)
    assert g.labels == ("b", "c", "a")
    assert g.node_data["size"].tolist()[:2] == [3, 5]
    assert np.isnan(g.node_data["size"][2])
    assert read_graph(path, "size=3", "a", roles=roles).labels == ("b", "a")


def test_pajek_arcs_are_directed(tmp_path):
    path = written(tmp_path, "graph.net", '*vertices 3\n1 "a b"\n2 b\n3 c\n*arcs\n1 2 2\n2 1 5\n'
                   "2 3 1\n")  # fmt: skip
    g = read_graph(path, "a b", "c")
    assert g.edge_data["weight"].tolist() == [5, 1]
    assert g.provenance[-1]["reciprocal_pairs_merged"] == 1


def test_igraph_writes_its_graphs_in_four_forms(tmp_path):
    graph = igraph.Graph.Ring(5)
    graph.es["weight"] = [1.0, 2.0, 3.0, 4.0, 5.0]
    for named in (False, True):
        if named:
            graph.vs["name"] = names = list("vwxyz")
        for write, ending in (("graphml",) * 2, ("gml",) * 2, ("pajek", "net"), ("ncol",) * 2):
            path = tmp_path / f"graph.{ending}"
            options = {} if ending != "ncol" or named else {"names": None}
            getattr(graph, f"write_{write}")(str(path), **options)
            if not named:
                # Pajek counts from 1.
                names = list(range(1, 6) if ending == "net" else range(5))
            g = read_graph(path, names[0], names[2])
            assert g.labels == (names[0], names[1], names[4], names[3], names[2])
            assert sorted(g.edge_data["weight"].tolist()) == [1, 2, 3, 4, 5]


LINES = {
    "numbers": "0 1\n1 2\n",
    "weights": "0 1 2.5\n1\t2\t1\n\n",
    "of networkx": "0 1 {}\n1 2 {}\n",
    "data of networkx": "0 1 {'weight': 2.5, 'kind': 'x'}\n1 2 {'weight': 1}\n",
    "comments": "# SNAP: a graph\n% another\n0 1\n1 2\n",
}


@pytest.mark.parametrize("ending", ["edgelist", "edges", "ncol", "txt", "EDGES"])
@pytest.mark.parametrize("name", LINES)
def test_edge_lists_without_a_first_line(tmp_path, name, ending):
    g = read_graph(written(tmp_path, f"graph.{ending}", LINES[name]), 0, 2)
    assert (g.labels, g.edges.tolist()) == (None, [[0, 1], [1, 2]])
    weights = g.edge_data["weight"].tolist() if g.edge_data else None
    assert weights == ([2.5, 1] if "2.5" in LINES[name] else None)


def test_what_networkx_and_pandas_write_in_every_form(tmp_path):
    graph = nx.karate_club_graph()
    plain = nx.Graph()
    plain.add_weighted_edges_from(graph.edges(data="weight"))
    nx.write_graphml(graph, tmp_path / "k.graphml")
    nx.write_gml(graph, tmp_path / "k.gml")
    nx.write_pajek(plain, tmp_path / "k.net")
    nx.write_edgelist(graph, tmp_path / "k.edgelist")
    nx.write_weighted_edgelist(graph, tmp_path / "k.txt")
    nx.to_pandas_edgelist(graph).to_csv(tmp_path / "list.csv")
    nx.to_pandas_adjacency(graph).to_csv(tmp_path / "frame.csv")
    np.savetxt(tmp_path / "matrix.csv", nx.to_numpy_array(graph), delimiter=",")
    sparse.save_npz(tmp_path / "k.npz", nx.to_scipy_sparse_array(graph))
    expected = LayeredGraph.from_networkx(graph, [0, 1], 33)
    found = list(tmp_path.iterdir())
    assert len(found) == 9
    for path in found:
        g = read_graph(path, [0, 1], 33)
        pairs = [
            {
                frozenset((h.labels[u], h.labels[v])): w
                for (u, v), w in zip(h.edges.tolist(), h.edge_data["weight"].tolist(), strict=True)
            }
            for h in (g, expected)
        ]
        assert pairs[0] == pairs[1]
        # networkx writes 0, 0 where a node has no place.
        assert "position" not in g.node_data


def test_columns_without_a_name_are_left_out(tmp_path):
    path = written(tmp_path, "graph.csv", ",source,target\n0,a,b\n1,b,c\n")
    roles = written(tmp_path, "roles.csv", "node,role,\na,in,1\nb,,2\nc,out,3\n")
    g = read_graph(path, "role=in", "role=out", roles=roles)
    assert (list(g.edge_data), list(g.node_data)) == ([], ["role"])


def test_endings_in_capitals(tmp_path):
    for ending in ("NPZ", "GraphML"):
        save_graph(MADE, tmp_path / f"graph.{ending}")
        assert read_graph(tmp_path / f"graph.{ending}") == MADE
        assert has_layers(tmp_path / f"graph.{ending}")


def test_gml_without_labels_or_with_equal_ones(tmp_path):
    nodes = '  node [ id 4 label "x" ]\n  node [ id 7 label "x" ]\n'
    text = "graph [\n{}  edge [ source 4 target 7 ]\n]\n"
    for given in (nodes, nodes.replace(' label "x"', "")):
        g = read_graph(written(tmp_path, "graph.gml", text.format(given)), 4, 7)
        assert g.labels == (4, 7)


@pytest.mark.parametrize("name", [*AREAS, "directed.graphml", "signed.csv"])
def test_what_needs_no_layers_takes_a_matrix(name):
    matrix, step = read_adjacency(FILES / name)
    assert (matrix != matrix.T).nnz == 0
    assert not matrix.diagonal().any()
    assert (step["step"], step["file"]) == ("read_graph", name)
    assert not has_layers(FILES / name)


ERRORS = {
    "role": (AREAS[0], {"inputs": "role=sensry"}, "'role' is one of: inter, motor, sensory"),
    "attribute": (AREAS[0], {"inputs": "rle=x"}, r"they have: role \(inter, motor, sensory\)"),
    "overlap": (AREAS[1], {"outputs": ["n0"]}, "outputs: 'n0' is an input too"),
    "node": (AREAS[2], {"outputs": "n99"}, "outputs: 'n99' is not a node.*first nodes: n0, n1"),
    "nothing": (AREAS[0], {"inputs": None, "outputs": None}, "inputs: none, and the nodes have no "
                "layers .* 'name=value': role"),
    "one": (AREAS[0], {"outputs": None}, "outputs: none; give both"),
    "no table": (AREAS[3], {"roles": None}, "nodes have no attribute 'role'; they have none"),
    "no file": ("nowhere.csv", {}, "No such file"),
    "ending": ("areas_roles.xlsx", {}, r"unknown ending '.xlsx'; allowed: .npz, .graphml"),
    "roles": (AREAS[3], {"roles": "nowhere.csv"}, "nowhere.csv: No such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_bad_choices_are_one_line_with_the_file(name):
    file, changes, message = ERRORS[name]
    with pytest.raises(InputError, match=message) as caught:
        areas(file, **changes)
    text = str(caught.value)
    assert "\n" not in text
    assert file in text or "nowhere.csv" in text


BAD = {
    "column": ("x.csv", "source,tgt,weight\na,b,1\n", "column 'target' is missing; the first line "
               "has: source, tgt, weight"),
    "end": ("x.csv", "source,target\na,b\na,\n", "line 3: an edge without a source or target"),
    "weight": ("x.csv", "source,target,weight\na,b,heavy\n", "weight: 'heavy' on an edge"),
    "nan": ("x.csv", "source,target,weight\na,b,nan\n", "weight: nan on an edge"),
    "cell": ("x.csv", "a,b\n0,x\n1,0\n", "'x' in row 1 is not a number"),
    "nan cell": ("x.csv", "a,b\n0,nan\n1,0\n", "nan among its entries"),
    "not square": ("x.csv", "a,b,c\n0,1,2\n", "not an adjacency matrix: 1 rows of 3 cells"),
    "labels": ("x.csv", ",a,b\na,0,1\nc,1,0\n", "have different labels"),
    "label twice": ("x.csv", "a,a\n0,1\n1,0\n", "two nodes have the same label"),
    "empty": ("x.csv", "", "not a .csv graph, or damaged"),
    "xml": ("x.graphml", "<graphml>", "not a .graphml graph, or damaged"),
    "gml": ("x.gml", "graph [ node", "not a .gml graph, or damaged"),
    "net": ("x.net", "*vertices two\n1 a\n", "not a .net graph, or damaged"),
    "list": ("x.net", "*vertices 3\n1 a\n2 b\n3 c\n*edgeslist\n1 2 3\n", "edgeslist in a Pajek "
             "file; give"),
    "one end": ("x.txt", "a b\nb\n", "line 2: 'b' is not an edge"),
    "third cell": ("x.edges", "a b heavy\n", "line 1: 'a b heavy' is not an edge"),
    "no dict": ("x.edgelist", "a b {'weight'}\n", "not a .edgelist graph, or damaged"),
    "npz": ("x.npz", "PK", "not a .npz graph, or damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_line_with_the_file(tmp_path, name):
    file, text, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        read_graph(written(tmp_path, file, text), "a", "b")
    assert "\n" not in str(caught.value)
    assert file in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\na\n", "one column, 'name'; give two"),
        ("name,role\na,x\na,y\n", "node 'a' is there twice"),
        ("name,role\nq,x\n", "'q' is not a node of"),
    ],
)
def test_bad_tables_of_nodes(tmp_path, text, message):
    graph = written(tmp_path, "graph.csv", ",a,b\na,0,1\nb,1,0\n")
    with pytest.raises(InputError, match=message) as caught:
        read_graph(graph, "a", "b", roles=written(tmp_path, "roles.csv", text))
    assert "roles.csv" in str(caught.value)


@pytest.mark.parametrize("name", [*AREAS, "directed.graphml", "layers_by_igraph.graphml"])
def test_cut_files_are_read_or_refused_in_one_line(tmp_path, name):
    content = (FILES / name).read_bytes()
    path = tmp_path / name
    for length in range(0, len(content), max(len(content) // 40, 1)):
        path.write_bytes(content[:length])
        try:
            read_graph(path, 0 if "directed" in name else "n0", 1)
        except InputError as error:
            assert "\n" not in str(error)


def test_other_archives_are_told_apart(tmp_path):
    np.savez(tmp_path / "x.npz", a=1)
    with pytest.raises(InputError, match=r"save_npz; it holds: a"):
        read_graph(tmp_path / "x.npz")


def test_provenance_is_json():
    for name in AREAS:
        json.dumps(areas(name).provenance)
    assert set(ENDINGS) >= {Path(name).suffix for name in AREAS}
