"""The table says what the single functions say."""

import pytest

from seminar_lib import Geometry
from seminar_lib.embeddings import alignment, drift, neighbours, separation, table, uniformity

from .conftest import cloud


def test_a_geometry_holds_the_numbers_of_the_functions(two):
    part, train = two["standard"], cloud(5)
    found = Geometry.of(part, train.z, train.y, k=3)
    assert found.alignment == alignment(part.z, part.z_adv)
    assert found.uniformity == uniformity(part.z)
    assert (found.separation, found.separation_adv) == (separation(part.z, part.y), separation(part.z_adv, part.y))
    assert found.drift == drift(part.z, part.z_adv, part.y).median()
    for accuracy, z in ((found.neighbours, part.z), (found.neighbours_adv, part.z_adv)):
        assert accuracy.accuracy == neighbours(z, part.y, train.z, train.y, 3).float().mean()
        assert accuracy.n == 24


def test_the_table_has_a_row_for_each_network(two):
    geometries = {name: Geometry.of(part, part.z, part.y, k=1) for name, part in two.items()}
    lines = table(geometries).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(row) for row in cells} == {9}
    assert [row[0] for row in cells[2:]] == ["standard", "pgd_at"]
    for row, found in zip(cells[2:], geometries.values(), strict=True):
        assert row[1] == f"{found.alignment:.2f}"
        assert row[5] == f"{found.drift:.2f}"
        assert row[6] == "100.0% [86.2%, 100.0%]", "each image is its own nearest neighbour"
        assert row[7:] == [str(found.neighbours_adv), "24"]


def test_a_table_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one network"):
        table({})
