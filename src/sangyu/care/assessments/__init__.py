"""Assessments: who can do what alone, what care that asks for (R-029 … R-037)."""
