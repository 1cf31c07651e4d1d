"""Every process of the platform loads Django and all rooms; few of them ever evaluate a policy."""

import subprocess
import sys

START = "import django, sys; django.setup(); import sangyu.engines.columnar as c; print({'polars', 'numpy'} & {*sys.modules}, c.np.int32(7), c.pl.Int64)"


def test_a_start_loads_neither_polars_nor_numpy():
    said = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert said.stdout == "set() 7 Int64\n"
