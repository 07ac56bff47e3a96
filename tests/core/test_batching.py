"""The chunks: every row its own result, whatever the batch that it came in."""

import ast
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaelab
from vaelab.batching import LARGE, SMALL, equal_pieces, filled, in_batches, in_blocks, pieces


@pytest.mark.parametrize("count", [0, 1, SMALL, SMALL + 1, LARGE, LARGE + 1])
def test_batches_give_each_row_its_own_result(count: int) -> None:
    rows = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    twice, total = in_batches(lambda part: (2 * part, part.sum(axis=1)), rows, features=3)
    assert np.array_equal(twice, 2 * rows)
    assert np.array_equal(total, rows.sum(axis=1))


def test_a_batch_of_large_images_stays_within_its_bound() -> None:
    seen: list[int] = []

    def note(rows: np.ndarray) -> np.ndarray:
        seen.append(len(rows))
        return rows

    in_batches(note, np.zeros((9, 1), np.float32), features=2**22)
    assert seen == [4, 4, 4]


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7, 12, 13])
def test_batches_of_groups_come_with_two_leading_axes(count: int) -> None:
    rows, places = np.arange(count * 2, dtype=np.float32).reshape(count, 2), np.arange(count)
    shapes: list[tuple[int, ...]] = []
    told: list[tuple[int, int]] = []

    def function(some: np.ndarray, which: np.ndarray) -> dict[str, np.ndarray]:
        shapes.append(some.shape)
        return {"sum": jax.lax.map(lambda group: group.sum(axis=1), jnp.asarray(some)), "place": which}

    found = in_batches(
        function, rows, places, rows=3, groups=2, on_progress=lambda done, total: told.append((done, total))
    )
    assert set(shapes) == {(2, 3, 2)}
    assert np.array_equal(found["sum"], rows.sum(axis=1))
    assert np.array_equal(found["place"], places)
    assert told == [(min(end, count), count) for end in range(6, max(count, 1) + 6, 6)]


def test_what_is_not_filled_up_ends_in_a_shorter_batch() -> None:
    lengths: list[int] = []

    def function(some: np.ndarray) -> np.ndarray:
        lengths.append(len(some))
        return some + 1

    assert np.array_equal(in_batches(function, np.arange(7), rows=3, fill=False), np.arange(1, 8))
    assert lengths == [3, 3, 1]


def test_a_filled_batch_holds_its_own_first_row_again() -> None:
    seen: list[np.ndarray] = []

    def function(some: np.ndarray) -> np.ndarray:
        seen.append(some)
        return some

    in_batches(function, np.arange(5), rows=3)
    assert [part.tolist() for part in seen] == [[0, 1, 2], [3, 4, 3]]
    assert filled(np.zeros((0, 2), np.float32), 2).shape == (2, 2)
    assert filled(np.arange(3), 2).tolist() == [0, 1, 2]


@pytest.mark.parametrize("sizes", [(4,), (2000, 250, 32), (7, 3)])
def test_pieces_hold_every_place_once(sizes: tuple[int, ...]) -> None:
    for count in (0, 1, 3, 31, 33, 250, 1750, 1751, 2032, 4500):
        cut = list(pieces(count, *sizes))
        assert np.concatenate([np.arange(count)[piece] for piece in cut] or [[]]).tolist() == list(range(count))
        assert {piece.stop - piece.start for piece in cut} <= set(sizes)
        assert sum(piece.stop - piece.start for piece in cut) - count < sizes[-1] + max(np.diff(sizes[::-1]), default=0)


def test_large_pieces_come_first_where_little_is_filled_up() -> None:
    def widths(count: int) -> list[int]:
        return [piece.stop - piece.start for piece in pieces(count, 2000, 250, 32)]

    assert widths(2000) == [2000]
    assert widths(1751) == [2000]  # 249 filled up; seven of 250 and one of 32 would be no fewer calls
    assert widths(1750) == [250] * 7
    assert widths(40) == [32, 32]


@pytest.mark.parametrize("count", [0, 1, 4999, 5000, 9999, 10_000, 12_345])
def test_equal_pieces_are_those_of_numpy(count: int) -> None:
    theirs = np.array_split(np.arange(count), max(count // 5000, 1))
    ours = [np.arange(count)[piece] for piece in equal_pieces(count, 5000)]
    assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]


def test_blocks_fold_an_axis_and_fill_its_end() -> None:
    values = jnp.arange(10.0).reshape(2, 5)
    folded = in_blocks(values, 2, filler=-jnp.inf, axis=1)
    assert folded.shape == (2, 3, 2)
    assert np.array_equal(folded.reshape(2, 6)[:, :5], values)
    assert np.isneginf(folded[:, 2, 1]).all()
    assert in_blocks(values, 2).shape == (1, 2, 5)


def test_nobody_else_cuts_into_chunks() -> None:
    """A `range` with a step, or NumPy's splitting, is how chunks were cut by hand."""
    house = Path(vaelab.__file__).parent
    found = {
        f"{path.relative_to(house)}:{line}"
        for path in house.rglob("*.py")
        if path.name != "batching.py"
        for line in _cuts(ast.parse(path.read_text()))
    }
    # disjoint sets for a statistic; a drawing's shares
    allowed = ("evaluation/feature_distances.py", "plotting/latent.py")
    assert {place for place in found if not place.startswith(allowed)} == set()


def _cuts(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        stepped = name == "range" and len(node.args) == 3 and not isinstance(node.args[2], ast.UnaryOp)
        if stepped or name == "array_split":
            yield node.lineno
