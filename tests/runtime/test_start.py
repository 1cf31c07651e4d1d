"""Each process of the platform loads Django and all rooms: what only some of them need waits until it is asked for."""

import subprocess
import sys

START = """
import django, sys
django.setup()
import sangyu.engines.columnar as columnar
print({"polars", "numpy", "ninja", "pydantic"} & {*sys.modules}, columnar.np.int32(7), columnar.pl.Int64)
"""


def test_a_start_loads_neither_the_tables_of_policies_nor_the_api():
    said = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert said.stdout == "set() 7 Int64\n"
